//! Packets, ports, specs and the component contract.
