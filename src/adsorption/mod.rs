//! Ions in tunnels: where they sit, what their insertion gains, and the charge they leave.
