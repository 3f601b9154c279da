//! The checksum of sled's messages: CRC-32.

/// CRC-32 as sled takes it.
pub struct Checksum(u32);

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index: usize = 0;
    while index < table.len() {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let mut sum = index as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum >> 1) ^ (0xedb8_8320 * (sum & 1));
            bit += 1;
        }
        table[index] = sum;
        index += 1;
    }
    table
}

impl Checksum {
    pub fn new() -> Self {
        Self(u32::MAX)
    }

    pub fn over(self, bytes: &[u8]) -> Self {
        let step =
            |sum: u32, byte: &u8| (sum >> 8) ^ TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)];
        Self(bytes.iter().fold(self.0, step))
    }

    /// The plain sum ends with all bits turned, and sled turns them back.
    pub fn flipped(self) -> u32 {
        self.0
    }
}
