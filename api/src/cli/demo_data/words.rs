//! The vocabulary. Every list begins with what people say all the time and ends with what they hardly ever say, and the dice follow
//! that, so that the frequencies are those of real text.

use rand::{RngExt, rngs::Xoshiro256PlusPlus as Dice};

/// What a post is about.
#[derive(Clone, Copy)]
pub(super) struct Topic {
    pub(super) tags: &'static [&'static str],
    /// Things one can count.
    pub(super) nouns: &'static [&'static str],
}

/// A place in a list of so many (at least one). At a skew of 0 each is as likely as any other, at a higher one the first are more so.
pub(super) fn skewed(dice: &mut Dice, count: usize, skew: u8) -> usize {
    let mut bound = count.max(1);
    for _ in 0..skew {
        bound = dice.random_range(1..=bound);
    }
    dice.random_range(0..bound)
}

/// One of a constant list.
#[expect(clippy::indexing_slicing, reason = "no list is empty, and a place in a list is within it")]
pub(super) fn pick<T: Copy>(dice: &mut Dice, list: &[T], skew: u8) -> T {
    list[skewed(dice, list.len(), skew)]
}

/// One of a constant list, each as likely as any other.
pub(super) fn any<T: Copy>(dice: &mut Dice, list: &[T]) -> T {
    pick(dice, list, 0)
}

// Formatted, every word would be a line.
#[rustfmt::skip]
pub(super) const TOPICS: &[Topic] = &[
    Topic {
        tags: &["postgres", "migrations", "sql", "backups"],
        nouns: &[
            "query", "index", "table", "migration", "transaction", "column", "replica", "connection pool", "lock", "constraint", "schema",
            "backup", "view", "partition", "query plan", "sequence", "foreign key", "checkpoint", "vacuum", "tablespace", "advisory lock",
            "tombstone",
        ],
    },
    Topic {
        tags: &["api", "webhooks", "integrations", "rate-limits"],
        nouns: &[
            "endpoint", "webhook", "request", "response", "payload", "integration", "API key", "signature", "retry", "rate limit",
            "cursor", "error code", "header", "contract", "client library", "event type", "timeout", "idempotency key", "changelog",
            "sandbox", "backoff", "tarpit",
        ],
    },
    Topic {
        tags: &["product", "roadmap", "release-notes", "feedback"],
        nouns: &[
            "feature", "roadmap", "release", "beta", "prototype", "interview", "backlog", "launch", "persona", "user story", "survey",
            "milestone", "workflow", "hypothesis", "wireframe", "shortcut", "template", "walkthrough", "paper cut", "feature request",
            "storyboard", "moonshot",
        ],
    },
    Topic {
        tags: &["billing", "invoices", "pricing", "compliance"],
        nouns: &[
            "invoice", "subscription", "payment", "plan", "refund", "seat", "trial", "discount", "tax rate", "credit note", "receipt",
            "price", "coupon", "ledger", "chargeback", "currency", "proration", "purchase order", "dunning letter", "surcharge",
            "remittance", "tariff",
        ],
    },
    Topic {
        tags: &["observability", "incidents", "postmortem", "on-call"],
        nouns: &[
            "alert", "incident", "dashboard", "metric", "log line", "outage", "trace", "runbook", "pager", "error budget", "graph",
            "postmortem", "threshold", "histogram", "heartbeat", "root cause", "status page", "span", "exporter", "percentile",
            "brownout", "canary bird",
        ],
    },
    Topic {
        tags: &["rust", "performance", "refactoring", "open-source"],
        nouns: &[
            "crate", "function", "compiler", "module", "type", "benchmark", "allocation", "trait", "thread", "lifetime", "borrow checker",
            "macro", "profiler", "closure", "flame graph", "iterator", "arena", "executor", "hash map", "linker", "bitmap", "rope",
        ],
    },
    Topic {
        tags: &["security", "auth", "sessions", "privacy"],
        nouns: &[
            "password", "session", "token", "permission", "role", "audit log", "login", "secret", "vulnerability", "cookie", "policy",
            "certificate", "identity provider", "passkey", "threat model", "data export", "penetration test", "scope", "allowlist",
            "nonce", "honeypot", "canary token",
        ],
    },
    Topic {
        tags: &["deployment", "kubernetes", "docker", "ci"],
        nouns: &[
            "deploy", "pipeline", "container", "cluster", "build", "image", "environment", "rollback", "node", "branch", "artifact",
            "feature flag", "health check", "load balancer", "namespace", "registry", "runner", "sidecar", "blueprint", "autoscaler",
            "probe", "bastion",
        ],
    },
    Topic {
        tags: &["onboarding", "support", "email", "documentation"],
        nouns: &[
            "ticket", "tutorial", "question", "guide", "welcome email", "invitation", "article", "conversation", "screenshot",
            "sign-up form", "video call", "checklist", "newsletter", "glossary", "mailbox", "escalation", "tooltip", "webinar",
            "macro reply", "handover", "testimonial", "canned answer",
        ],
    },
    Topic {
        tags: &["testing", "quality", "code-review", "accessibility"],
        nouns: &[
            "test", "bug", "review", "regression", "assertion", "fixture", "snapshot", "edge case", "test suite", "mock", "flaky test",
            "stack trace", "coverage report", "checkbox", "screen reader", "contrast ratio", "property test", "linter", "mutation",
            "fuzzer", "test oracle", "focus ring",
        ],
    },
    Topic {
        tags: &["search", "caching", "analytics", "machine-learning"],
        nouns: &[
            "result", "cache", "report", "data set", "ranking", "event", "experiment", "model", "snippet", "synonym", "funnel", "cohort",
            "stop word", "cache key", "bucket", "embedding", "classifier", "outlier", "thesaurus", "bloom filter", "confusion matrix",
            "trigram",
        ],
    },
    Topic {
        tags: &["culture", "remote-work", "hiring", "leadership"],
        nouns: &[
            "team", "meeting", "decision", "time zone", "calendar", "interview", "mentor", "retrospective", "candidate", "proposal",
            "career", "offsite", "one-on-one", "stand-up", "salary band", "job advert", "apprentice", "sabbatical", "hackathon",
            "coffee break", "book club", "hammock",
        ],
    },
    Topic {
        tags: &["frontend", "mobile", "design", "typescript"],
        nouns: &[
            "button", "screen", "component", "form", "page", "dialog", "style sheet", "colour", "menu", "notification", "icon", "layout",
            "bundle", "gesture", "dark mode", "keyboard", "animation", "breakpoint", "viewport", "typeface", "carousel",
            "parallax effect",
        ],
    },
];

#[rustfmt::skip]
pub(super) const THINGS: &[&str] = &[
    "customer", "service", "change", "problem", "version", "account", "project", "system", "process", "tool", "number", "workspace",
    "default", "limit", "idea", "setting", "cost", "document", "budget", "pattern", "dependency", "job", "queue", "script", "rule",
    "owner", "message", "detail", "shortage", "habit", "assumption", "priority", "deadline", "trade-off", "boundary", "spreadsheet",
    "vendor", "bottleneck", "estimate", "domain", "whiteboard", "convention", "safeguard", "workaround", "symptom", "contract",
    "baseline", "prediction", "obstacle", "inventory", "side effect", "rehearsal", "warehouse", "labyrinth", "compass", "scaffold",
    "lighthouse", "parachute",
];

#[rustfmt::skip]
pub(super) const ADJECTIVES: &[&str] = &[
    "new", "small", "simple", "slow", "old", "large", "clear", "important", "internal", "single", "better", "missing", "shared",
    "expensive", "broken", "reliable", "separate", "public", "careful", "boring", "temporary", "empty", "hidden", "fast", "weekly",
    "manual", "strict", "nightly", "fragile", "honest", "automatic", "complicated", "stale", "generous", "surprising", "duplicate",
    "predictable", "optional", "obsolete", "noisy", "elegant", "overdue", "experimental", "redundant", "invisible", "stubborn",
    "monolithic", "pristine", "ambiguous", "clumsy", "hypothetical", "labyrinthine", "quixotic",
];

/// In the plain and in the past form; each can be done to anything.
#[rustfmt::skip]
pub(super) const VERBS: &[(&str, &str)] = &[
    ("change", "changed"), ("ship", "shipped"), ("move", "moved"), ("test", "tested"), ("measure", "measured"), ("remove", "removed"),
    ("replace", "replaced"), ("review", "reviewed"), ("fix", "fixed"), ("rewrite", "rewrote"), ("document", "documented"),
    ("simplify", "simplified"), ("split", "split"), ("monitor", "monitored"), ("rename", "renamed"), ("automate", "automated"),
    ("postpone", "postponed"), ("redesign", "redesigned"), ("validate", "validated"), ("merge", "merged"), ("question", "questioned"),
    ("isolate", "isolated"), ("audit", "audited"), ("extend", "extended"), ("profile", "profiled"), ("inspect", "inspected"),
    ("retire", "retired"), ("inherit", "inherited"), ("harden", "hardened"), ("sketch", "sketched"), ("deprecate", "deprecated"),
    ("revisit", "revisited"), ("rehearse", "rehearsed"), ("untangle", "untangled"), ("quarantine", "quarantined"),
    ("resurrect", "resurrected"), ("fossilise", "fossilised"),
];

#[rustfmt::skip]
pub(super) const PEOPLE: &[&str] = &[
    "customers", "engineers", "teams", "developers", "users", "designers", "administrators", "new hires", "reviewers", "managers",
    "founders", "support agents", "contractors", "analysts", "partners", "auditors", "resellers", "students", "freelancers",
    "accountants", "volunteers", "librarians", "translators", "beekeepers",
];

#[rustfmt::skip]
pub(super) const TIMES: &[&str] = &[
    "last week", "last month", "this year", "on Monday", "in the last quarter", "on Friday afternoon", "in March", "before the holidays",
    "over the weekend", "two releases ago", "in the spring", "at the end of the month", "during the freeze", "in the middle of the night",
    "on the first of October", "after the merger", "during the eclipse",
];

#[rustfmt::skip]
pub(super) const MANNERS: &[&str] = &[
    "quickly", "slowly", "carefully", "quietly", "regularly", "gradually", "completely", "reluctantly", "deliberately", "accidentally",
    "gracefully", "independently", "eventually", "silently", "painlessly", "cautiously", "unanimously", "retroactively", "heroically",
    "surreptitiously",
];

/// Names of projects and topics beside the point, for what a search should find a handful of.
#[rustfmt::skip]
pub(super) const RARITIES: &[&str] = &[
    "Kestrel", "Juniper", "Meridian", "Saffron", "Harbour", "Tundra", "Quartz", "Marble", "Falcon", "Lantern", "Orchard", "Compost",
    "Pebble", "Thistle", "Walnut", "Glacier", "Monsoon", "Papaya", "Cobalt", "Driftwood", "Nutmeg", "Obsidian", "Puffin", "Rhubarb",
    "Sextant", "Tapir", "Umbrella", "Velvet", "Wombat", "Yarrow", "Zeppelin", "Anvil", "Bramble", "Caraway", "Dandelion", "Estuary",
    "Fjord", "Gazelle", "Hazelnut", "Iguana", "Jackdaw", "Kiwi", "Lichen", "Marzipan", "Narwhal", "Otter", "Pumpernickel", "Quince",
    "Raccoon", "Sycamore", "Tamarind", "Urchin", "Vermilion", "Waxwing", "Xylophone", "Yucca", "Zucchini", "Aardvark", "Basalt",
    "Cormorant", "Dragonfly", "Elderberry", "Firefly", "Gooseberry", "Hedgehog", "Ibex", "Jellyfish", "Kingfisher", "Lynx", "Mongoose",
    "Nectarine", "Ocelot", "Persimmon", "Quokka", "Rosemary", "Salamander", "Tarragon", "Uakari", "Vicuna", "Wisteria", "Axolotl",
    "Begonia", "Capybara", "Dugong", "Echidna", "Flamingo", "Guava", "Hornbeam", "Isthmus", "Jasper", "Kumquat", "Lapwing", "Mulberry",
    "Nightjar", "Okapi", "Pangolin", "Quetzal", "Redwood", "Sandpiper", "Toucan", "Umber", "Verbena", "Wolverine", "Yak", "Zinnia",
    "Albatross", "Buttercup", "Chinchilla", "Damson", "Edelweiss", "Foxglove", "Gentian", "Honeysuckle", "Impala", "Jacaranda", "Katydid",
    "Lupin", "Manatee", "Nettle", "Oleander", "Platypus", "Quagga", "Ragwort", "Starling", "Turmeric", "Ursine", "Vetch", "Whimbrel",
    "Yellowhammer", "Zebu",
];
