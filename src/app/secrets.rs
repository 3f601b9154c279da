//! Chance, hashes, and the small files that hold a secret.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::Rng;

/// Fills a buffer with chance fit for secrets.
pub fn fill(buffer: &mut [u8]) {
    rand::rng().fill_bytes(buffer);
}

/// SHA-256 of a key or token.
pub fn hash(text: &str) -> [u8; 32] {
    crate::signing::digest::sha256(text.as_bytes())
}

/// So many bytes of chance in hex.
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    fill(&mut buffer);
    hex(&buffer)
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}
