//! Outside vectors: what others published, or made with a real server, must come out here to the bit.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod gnupg;
#[cfg(test)]
mod jose;
#[cfg(test)]
mod nist;
#[cfg(test)]
mod openbao;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod rfc;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod wycheproof;
