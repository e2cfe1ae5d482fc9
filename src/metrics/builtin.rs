//! The built-in metrics, in one table; the constants are their places in the registry.

use super::metric::{
    Contains::{self, Data, Default, Time},
    MetricId,
    MetricType::{self, Counter, Gauge, Rate, Trend},
};

macro_rules! builtin {
    ($($place:literal $constant:ident $name:literal $kind:ident $contains:ident;)*) => {
        /// Name, type and meaning of every built-in metric, in the order of the registry.
        pub const TABLE: &[(&str, MetricType, Contains)] = &[$(($name, $kind, $contains)),*];
        $(#[doc = concat!("`", $name, "`")] pub const $constant: MetricId = MetricId($place);)*
    };
}

/// Whether this metric is built in.
pub fn is_one(metric: MetricId) -> bool {
    usize::from(metric.0) < TABLE.len()
}

/// Whether the metric of this name, or the one it is a part of, counts VUs: those of several instances are different ones.
pub fn counts_vus(name: &str) -> bool {
    let metric = name.split('{').next().unwrap_or(name);
    [VUS, VUS_MAX].iter().any(|id| TABLE[usize::from(id.0)].0 == metric)
}

builtin! {
    0 VUS "vus" Gauge Default;
    1 VUS_MAX "vus_max" Gauge Default;
    2 ITERATIONS "iterations" Counter Default;
    3 ITERATION_DURATION "iteration_duration" Trend Time;
    4 DROPPED_ITERATIONS "dropped_iterations" Counter Default;
    5 CHECKS "checks" Rate Default;
    6 GROUP_DURATION "group_duration" Trend Time;
    7 HTTP_REQS "http_reqs" Counter Default;
    8 HTTP_REQ_DURATION "http_req_duration" Trend Time;
    9 HTTP_REQ_BLOCKED "http_req_blocked" Trend Time;
    10 HTTP_REQ_CONNECTING "http_req_connecting" Trend Time;
    11 HTTP_REQ_TLS_HANDSHAKING "http_req_tls_handshaking" Trend Time;
    12 HTTP_REQ_SENDING "http_req_sending" Trend Time;
    13 HTTP_REQ_WAITING "http_req_waiting" Trend Time;
    14 HTTP_REQ_RECEIVING "http_req_receiving" Trend Time;
    15 HTTP_REQ_FAILED "http_req_failed" Rate Default;
    16 WS_SESSIONS "ws_sessions" Counter Default;
    17 WS_MSGS_SENT "ws_msgs_sent" Counter Default;
    18 WS_MSGS_RECEIVED "ws_msgs_received" Counter Default;
    19 WS_PING "ws_ping" Trend Time;
    20 WS_SESSION_DURATION "ws_session_duration" Trend Time;
    21 WS_CONNECTING "ws_connecting" Trend Time;
    22 GRPC_REQ_DURATION "grpc_req_duration" Trend Time;
    23 DATA_SENT "data_sent" Counter Data;
    24 DATA_RECEIVED "data_received" Counter Data;
}
