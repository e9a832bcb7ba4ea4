use paperflow_core::connector::Disposition;
use paperflow_core::headers::names;
use paperflow_core::{Fault, Got, IntoPort, Out};

/// Sets a packet aside that cannot be handled: it leaves by ERROR if that is connected, or else goes
/// back to the store that it came from, to be set aside there. Else it is a fault of the process.
pub(crate) async fn set_aside<T>(
    mut packet: Got<T>,
    fault: Fault,
    error: &Out<T>,
) -> Result<(), Fault>
where
    Got<T>: IntoPort<T>,
{
    if error.is_connected() {
        packet.set_header(names::ERROR, fault.message());
        return Ok(error.send(packet).await?);
    }
    let refused = match fault.disposition() {
        Disposition::Invalid => packet.invalid(fault.message()),
        _ => packet.reject(fault.message()),
    };
    refused.map_err(|_| fault)
}
