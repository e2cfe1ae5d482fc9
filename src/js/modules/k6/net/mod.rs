//! The modules under `k6/net`.

pub mod grpc;
