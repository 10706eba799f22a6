//! Which service a request is for, and what of it.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use domain::{Code, Error, Result};
use serde_json::json;
use upstream::proxy::Proxy;

use super::Proxies;
use crate::describe::{Describe, Operation};

/// A service, and a path of it.
pub struct Target {
    /// The service.
    pub proxy: Arc<Proxy>,
    /// The path as it stood in the request line, without a leading slash.
    pub path: String,
}

impl Target {
    fn of(request: &HttpRequest) -> Result<Self> {
        let proxies = request.app_data::<Data<Proxies>>().ok_or_else(|| Error::internal("no proxies"))?;
        if proxies.is_empty() {
            return Err(Error::new(Code::NotConfigured, "There is nothing behind the proxy"));
        }
        // The path as it was sent: what was decoded for routing is no longer what the service would be asked for. An encoded slash is
        // none to the router either, so both count the same segments: "", "api", "proxy", the name, and the rest.
        let mut segments = request.uri().path().splitn(5, '/').skip(3);
        let (name, path) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let proxy = proxies.get(name).ok_or_else(|| Error::not_found("Upstream"))?;
        Ok(Self { proxy, path: path.to_owned() })
    }
}

impl FromRequest for Target {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Describe for Target {
    fn describe(operation: &mut Operation<'_>) {
        let name = json!({ "type": "string", "maxLength": 32, "pattern": "^[a-z][a-z0-9-]*$" });
        let path = json!({ "type": "string", "maxLength": 65_535 });
        operation.parameters.push(json!({ "name": "upstream", "in": "path", "required": true, "schema": name }));
        operation.parameters.push(json!({
            "name": "path",
            "in": "path",
            "required": true,
            "description": "The rest of the path, slashes and all; may be empty. The query goes along.",
            "schema": path,
        }));
        operation.fails(&[Code::ValidationError, Code::NotFound, Code::NotConfigured]);
    }
}
