//! Names as Kubernetes has them.

/// Whether it is an RFC 1123 label: what a Service, a volume or a namespace can be called.
#[must_use]
pub fn is_dns_label(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let has_ends = !name.starts_with('-') && !name.ends_with('-');
    has_ends && (1..=63).contains(&name.len()) && name.bytes().all(is_plain)
}
