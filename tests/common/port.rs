//! Ports for processes and tasks that talk to each other.

use std::net::{Ipv4Addr, TcpListener};

/// A port of this machine that is free, as the next one is.
pub fn port() -> u16 {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = first.local_addr().expect("its address").port();
        if port < u16::MAX && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
            return port;
        }
    }
}
