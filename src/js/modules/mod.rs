//! The modules of the k6 API, in one table: their JavaScript halves and the native functions those import as
//! `native:<specifier>`. Living ones here, removed ones in [`REMOVED`].

use crate::js::runtime::module_table::{self, BuiltinModule, DirectOps, Hooks, ModuleTable};

pub use crate::js::runtime::{DirectOp, Op};

pub mod cpu_pool;
pub mod k6;
pub mod volley;

/// The k6 API, as a run is given it.
pub static TABLE: ModuleTable = ModuleTable {
    modules: MODULES,
    lazy_scripts: LAZY_SCRIPTS,
    removed: REMOVED,
    ops: &module_table::row_of_ops::<OPS>(MODULES),
    direct_ops: DIRECT_OPS,
    hooks: HOOKS,
};

/// How many native functions there are.
const OPS: usize = module_table::count_ops(MODULES);

/// The native functions that work on values of the script themselves: what scripts call again and again.
const DIRECT_OPS: DirectOps = &[
    ("k6", k6::DIRECT_OPS),
    ("k6/http", k6::http::DIRECT_OPS),
    ("k6/metrics", k6::metrics::DIRECT_OPS),
    ("k6/net/grpc", k6::net::grpc::DIRECT_OPS),
    ("k6/websockets", k6::websockets::DIRECT_OPS),
];

/// What modules do at the turning points of a VU's life; what stands in one row happens in its order.
const HOOKS: Hooks = Hooks {
    realm_made: volley::globals::define,
    activated: volley::globals::activate,
    timer_due: k6::timers::fire,
    turn_abandoned: &[k6::data::abandon],
    iteration_begins: &[
        k6::http::begin_iteration,
        #[cfg(feature = "browser")]
        k6::browser::begin_iteration,
    ],
    function_ended: &[k6::leave_all_groups],
    close_open: &[
        #[cfg(feature = "browser")]
        k6::browser::close_links,
        k6::net::grpc::close_streams,
        k6::websockets::socket::close_sockets,
        #[cfg(feature = "x-mqtt")]
        k6::x::mqtt::close_clients,
        #[cfg(feature = "x-tcp")]
        k6::x::tcp::close_sockets,
    ],
    iteration_counted: &[k6::http::end_iteration],
};

macro_rules! module {
    ($specifier:literal, $ops:expr) => {
        BuiltinModule {
            specifier: $specifier,
            source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/js-stdlib/", $specifier, ".js")),
            ops: $ops,
        }
    };
}

/// The living modules. Those under `volley/` are ours: a script can't import them.
pub const MODULES: &[BuiltinModule] = &[
    module!("k6", k6::OPS),
    #[cfg(feature = "browser")]
    module!("k6/browser", k6::browser::OPS),
    module!("k6/crypto", k6::crypto::OPS),
    module!("k6/crypto/x509", k6::crypto::x509::OPS),
    module!("k6/data", k6::data::OPS),
    module!("k6/encoding", k6::encoding::OPS),
    module!("k6/execution", k6::execution::OPS),
    module!("k6/experimental/csv", k6::experimental::csv::OPS),
    module!("k6/experimental/fs", k6::experimental::fs::OPS),
    #[cfg(feature = "x-redis")]
    module!("k6/experimental/redis", &[]),
    module!("k6/experimental/streams", &[]),
    module!("k6/experimental/websockets", &[]),
    module!("k6/html", k6::html::OPS),
    module!("k6/http", k6::http::OPS),
    module!("k6/metrics", k6::metrics::OPS),
    module!("k6/net/grpc", k6::net::grpc::OPS),
    module!("k6/secrets", k6::secrets::OPS),
    module!("k6/timers", &[]),
    module!("k6/websockets", k6::websockets::OPS),
    module!("k6/ws", k6::ws::OPS),
    #[cfg(feature = "x-dns")]
    module!("k6/x/dns", k6::x::dns::OPS),
    #[cfg(feature = "x-exec")]
    module!("k6/x/exec", k6::x::exec::OPS),
    #[cfg(feature = "x-faker")]
    module!("k6/x/faker", k6::x::faker::OPS),
    #[cfg(feature = "x-file")]
    module!("k6/x/file", k6::x::file::OPS),
    #[cfg(feature = "x-icmp")]
    module!("k6/x/icmp", k6::x::icmp::OPS),
    #[cfg(feature = "x-mqtt")]
    module!("k6/x/mqtt", k6::x::mqtt::OPS),
    #[cfg(feature = "x-redis")]
    module!("k6/x/redis", k6::x::redis::OPS),
    #[cfg(feature = "x-sql")]
    module!("k6/x/sql", k6::x::sql::OPS),
    #[cfg(feature = "x-sql")]
    module!("k6/x/sql/driver/mysql", k6::x::sql::mysql_tls::OPS),
    #[cfg(feature = "x-sql")]
    module!("k6/x/sql/driver/postgres", &[]),
    #[cfg(feature = "x-sql")]
    module!("k6/x/sql/driver/sqlite3", &[]),
    #[cfg(feature = "x-sse")]
    module!("k6/x/sse", k6::x::sse::OPS),
    #[cfg(feature = "x-ssh")]
    module!("k6/x/ssh", k6::x::ssh::OPS),
    #[cfg(feature = "x-tcp")]
    module!("k6/x/tcp", k6::x::tcp::OPS),
    #[cfg(feature = "x-tls")]
    module!("k6/x/tls", k6::x::tls::OPS),
    module!("volley/bytes", &[]),
    module!("volley/commonjs", volley::commonjs::OPS),
    // It has no JavaScript half: engines make the global scope from a table.
    BuiltinModule { specifier: "volley/globals", source: "", ops: volley::globals::OPS },
    module!("volley/lifecycle", &[("encodeBase64", k6::encoding::encode)]),
    module!("volley/procedure", &[]),
    module!("volley/readable_stream", &[]),
    module!("volley/shared_array", volley::shared_array::OPS),
    module!("volley/streams", &[]),
    module!("volley/writable_stream", &[]),
];

macro_rules! lazy_scripts {
    ($($name:literal),+ $(,)?) => {
        &[$((concat!("lazy:", $name), include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/js-stdlib/", $name, ".js")))),+]
    };
}

/// Expressions that js-stdlib evaluates when a script first needs them: every VU would hold a copy, and few use them. Those
/// that make globals are called with the native half of `volley/globals` and with what engines give js-stdlib.
pub const LAZY_SCRIPTS: &[(&str, &str)] = lazy_scripts![
    "k6/browser/actions",
    "k6/browser/browser",
    "k6/browser/context",
    "k6/browser/devices",
    "k6/browser/element_handle",
    "k6/browser/elements",
    "k6/browser/execution",
    "k6/browser/frame",
    "k6/browser/frame_selectors",
    "k6/browser/frame_targets",
    "k6/browser/input",
    "k6/browser/locator",
    "k6/browser/methods",
    "k6/browser/network",
    "k6/browser/page",
    "k6/browser/session",
    "k6/html/selection",
    "k6/http/lazy",
    "k6/lazy",
    "k6/net/grpc/stream",
    "k6/websockets/blob",
    "volley/async_context",
    "volley/console",
    "volley/consolidate",
    "volley/environment",
    "volley/environment/traps",
    "volley/go_error",
    "volley/inspect",
    "volley/open",
    "volley/require",
    "volley/shared_array_traps",
    "volley/stack",
    "volley/text",
    "volley/timers",
    "volley/webcrypto",
    "volley/webcrypto/subtle",
];

/// Names k6 once had, and what it says about each now.
pub const REMOVED: &[(&str, &str)] = &[
    #[cfg(not(feature = "x-redis"))]
    (
        "k6/experimental/redis",
        "k6/experimental/redis has been removed. Please migrate to the new version by changing your import to \
         'k6/x/redis'. Read more here: https://grafana.com/docs/k6/latest/javascript-api/k6-x-redis",
    ),
    (
        "k6/experimental/timers",
        "k6/experimental/timers has been graduated, and it's now globally available as defined by standard WebAPIs. \
         You just need to remove the import.",
    ),
    (
        "k6/experimental/webcrypto",
        "k6/experimental/webcrypto has been graduated and it's now globally available as defined by standard WebAPIs. \
         You just need to remove the import.",
    ),
    (
        "k6/experimental/grpc",
        "k6/experimental/grpc has been graduated, please use k6/net/grpc instead. See \
         https://grafana.com/docs/k6/latest/javascript-api/k6-net-grpc/ for more information.",
    ),
    (
        "k6/experimental/browser",
        "k6/experimental/browser has been graduated, please use k6/browser instead.Please update your imports to use \
         k6/browser instead of k6/experimental/browser, For more information, see the migration guide at the link: \
         https://grafana.com/docs/k6/latest/using-k6-browser/migrating-to-k6-v0-52/",
    ),
    (
        "k6/experimental/tracing",
        "k6/experimental/tracing has been removed. All of it functionality is available as pure JavaScript module. \
         More info available at the docs: \
         https://grafana.com/docs/k6/latest/javascript-api/jslib/http-instrumentation-tempo",
    ),
];
