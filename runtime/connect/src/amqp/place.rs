//! Where a server is, and how it is called.

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPAuthority, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};
use paperflow_core::connector::StoreFault;

use crate::broker::Address;

/// Seconds between two signs of life; after two of these a line on which nothing comes is given up.
const HEARTBEAT: u16 = 10;

/// Where a server is.
pub(super) struct Place {
    uri: AMQPUri,
    /// Certificates that are trusted beside those of the system, in PEM.
    authority: Option<String>,
}

impl Place {
    /// That of an address; `ca` is a file with certificates.
    pub(super) fn of(address: &Address, ca: Option<&str>) -> Result<Self, StoreFault> {
        let is_encrypted = address.scheme == "amqps";
        let authority = match is_encrypted {
            true => trusted(ca)?,
            false => None,
        };
        Ok(Self {
            uri: uri(address, is_encrypted),
            authority,
        })
    }

    /// Calls the server.
    pub(super) async fn dial(&self, properties: ConnectionProperties) -> lapin::Result<Connection> {
        let config = OwnedTLSConfig {
            identity: None,
            cert_chain: self.authority.clone(),
        };
        let runtime = lapin::runtime::default_runtime()?;
        Connection::connect_uri_with_config(self.uri.clone(), properties, config, runtime).await
    }
}

fn uri(address: &Address, is_encrypted: bool) -> AMQPUri {
    let or_guest = |given: &Option<String>| given.clone().unwrap_or_else(|| String::from("guest"));
    let (scheme, usual) = match is_encrypted {
        true => (AMQPScheme::AMQPS, 5671),
        false => (AMQPScheme::AMQP, 5672),
    };
    let vhost = match address.path.as_str() {
        "" => "/",
        path => path,
    };
    let mut uri = AMQPUri {
        scheme,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: or_guest(&address.user),
                password: or_guest(&address.password),
            },
            host: address.host.clone(),
            port: address.port.unwrap_or(usual),
        },
        vhost: vhost.to_owned(),
        query: Default::default(),
    };
    uri.query.heartbeat = Some(HEARTBEAT);
    uri
}

/// The certificates in a file, as the client takes them.
#[cfg(feature = "tls")]
fn trusted(ca: Option<&str>) -> Result<Option<String>, StoreFault> {
    let pem = ca.map(crate::broker::certificates).transpose()?;
    // What is not text in such a file is no part of a certificate.
    Ok(pem.map(|pem| String::from_utf8_lossy(&pem).into_owned()))
}

/// Nothing is: a client that cannot encrypt would send everything as it is, and not say so.
#[cfg(not(feature = "tls"))]
fn trusted(_: Option<&str>) -> Result<Option<String>, StoreFault> {
    Err(crate::fault::unsupported(
        "`amqps` is encrypted, and this build cannot do that: build it with the feature `tls`",
    ))
}
