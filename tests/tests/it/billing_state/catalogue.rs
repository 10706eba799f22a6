//! What is for sale.

use domain::billing::Verdict;
use persistence::billing;
use serde_json::json;

use super::world::{World, event, permutations};

#[tokio::test]
async fn what_was_deleted_does_not_come_back() {
    let world = World::new().await;
    for order in permutations(&[("created", 1), ("updated", 2), ("deleted", 2)]) {
        world.run("TRUNCATE products, prices").await;
        for (kind, second) in order.iter().chain(&order) {
            world.product("prod_1", json!({ "second": second.to_string() }), event(*second, kind)).await;
            world.price("price_1", "prod_2", event(*second, kind)).await;
        }
        world.product("prod_2", json!({}), event(1, "created")).await;
        let plans = billing::plans(&world.db).await.expect("plans");
        assert_eq!(plans.iter().map(|plan| (plan.id.as_str(), plan.prices.len())).collect::<Vec<_>>(), [("prod_2", 0)], "{order:?}");
        assert_eq!(world.text("SELECT metadata->>'second' FROM products WHERE id = 'prod_1'").await, "2");
    }
}

#[tokio::test]
async fn a_price_may_come_before_its_product() {
    let world = World::new().await;
    assert_eq!(world.price("price_1", "prod_1", event(1, "created")).await, Verdict::New);
    assert!(billing::plans(&world.db).await.expect("plans").is_empty());
    assert_eq!(world.product("prod_1", json!({ "plan": "pro", "limit_x": "3" }), event(1, "created")).await, Verdict::New);
    assert_eq!(world.product("prod_1", json!({ "plan": "pro", "limit_x": "3" }), event(2, "updated")).await, Verdict::Same);
    let plans = billing::plans(&world.db).await.expect("plans");
    let expected = json!([{
        "id": "prod_1", "name": "prod_1", "description": null, "plan": "pro", "limits": { "x": 3 },
        "prices": [{ "id": "price_1", "currency": "eur", "unitAmount": 900, "interval": "month", "intervalCount": null, "lookupKey": null }],
    }]);
    assert_eq!(serde_json::to_value(plans).expect("JSON"), expected);
    assert_eq!(world.product("prod_1", json!({ "plan": "pro", "limit_x": "3" }), event(3, "deleted")).await, Verdict::Newer);
    assert!(billing::plans(&world.db).await.expect("plans").is_empty());
}
