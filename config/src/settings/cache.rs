//! The settings of answers that are kept.

use super::{DAY_MS, SECOND_MS};
use crate::{reader::Reader, types::Cache};

pub(super) fn read(r: &mut Reader<'_>) -> Cache {
    const DAY: u64 = DAY_MS / SECOND_MS;
    r.section("Answers that are kept");
    Cache {
        bytes_max: r.number(
            "CACHE_BYTES",
            32 << 20,
            0..=1 << 34,
            "memory for them, in bytes, counted with room for their compressed forms; 0 keeps none",
        ),
        stale_max: r.duration(
            "CACHE_STALE_SECONDS",
            DAY,
            0..=30 * DAY,
            SECOND_MS,
            "time after their own that they may still be given, while a new one is made or when none can be made",
        ),
        edge: r.duration(
            "CACHE_EDGE_SECONDS",
            0,
            0..=DAY,
            SECOND_MS,
            "time that a CDN may repeat them without asking (s-maxage): purges do not reach it",
        ),
    }
}
