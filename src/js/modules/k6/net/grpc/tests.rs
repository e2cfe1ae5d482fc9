//! Messages there and back: tables of JSON, bytes and what scripts see.
