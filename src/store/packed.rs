//! Values that are written once and never changed: a head that can be read by itself, and what it
//! speaks of, packed by LZ4, with a checksum over both.

use std::cell::RefCell;

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::record::{self, Stored};

/// Bytes of the checksum, a CRC-32.
const CHECKSUM_BYTES: usize = 4;

/// A head, and what follows it, unpacked.
#[derive(Debug)]
pub struct Packed<H> {
    pub head: H,
    pub plain: Vec<u8>,
}

/// A head, whatever follows it. Its checksum is not looked at: of a long value only the first row
/// was read.
pub struct OnlyHead<H>(pub H);

impl<H: DeserializeOwned> Stored for OnlyHead<H> {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let (_, rest) = split(bytes)?;
        record::take(rest).map(|(head, _)| Self(head))
    }
}

impl<H: DeserializeOwned> Stored for Packed<H> {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let (checksum, rest) = split(bytes)?;
        if crc32fast::hash(rest) != checksum {
            return Err("its checksum does not fit".to_owned());
        }
        let (head, packed) = record::take(rest)?;
        let plain = lz4_flex::decompress_size_prepended(packed);
        let plain = plain.map_err(|error| error.to_string())?;
        Ok(Self { head, plain })
    }
}

fn split(bytes: &[u8]) -> Result<(u32, &[u8]), String> {
    let parts = bytes.split_first_chunk::<CHECKSUM_BYTES>();
    let (checksum, rest) = parts.ok_or("it ends too early")?;
    Ok((u32::from_le_bytes(*checksum), rest))
}

/// Up to so many bytes LZ4 works with its small table.
const SMALL_BYTES: usize = u16::MAX as usize - 1;

thread_local! {
    static PACKER: RefCell<Packer> = RefCell::new(Packer {
        small: CompressTable::small(),
        large: CompressTable::large(),
        room: Vec::new(),
    });
}

/// What LZ4 works with, kept from value to value: buffers of this size are given back to the system
/// each time, and the next one is filled with zeros by it, which took longer than the packing.
struct Packer {
    small: CompressTable,
    large: CompressTable,
    room: Vec<u8>,
}

impl Packer {
    /// Adds the length of these bytes, and the bytes packed.
    fn add(&mut self, plain: &[u8], value: &mut Vec<u8>) -> Result<(), Error> {
        let failed = |cause: String| Error::Commit { cause };
        let length = u32::try_from(plain.len());
        let length = length.map_err(|_| failed("a value of over 4 GiB".to_owned()))?;
        let most = get_maximum_output_size(plain.len());
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let table = if plain.len() <= SMALL_BYTES {
            &mut self.small
        } else {
            &mut self.large
        };
        let packed = compress_into_with_table(plain, &mut self.room, table);
        let packed = packed.map_err(|error| failed(error.to_string()))?;
        value.reserve_exact(4 + packed);
        value.extend_from_slice(&length.to_le_bytes());
        value.extend_from_slice(&self.room[..packed]);
        // What was large is rare, and is not kept.
        self.room.truncate(record::ROOM_BYTES_MAX);
        self.room.shrink_to(record::ROOM_BYTES_MAX);
        Ok(())
    }
}

/// The value of a head and what it speaks of.
pub fn pack(head: &impl Serialize, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut value = record::encode(&())?;
    let checksum = value.len();
    value.extend([0; CHECKSUM_BYTES]);
    let mut value = record::extend(value, head)?;
    PACKER.with_borrow_mut(|packer| packer.add(plain, &mut value))?;
    let sum = crc32fast::hash(&value[checksum + CHECKSUM_BYTES..]);
    value[checksum..checksum + CHECKSUM_BYTES].copy_from_slice(&sum.to_le_bytes());
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_which_any_byte_is_wrong_is_not_read() {
        let plain = b"web-1 web-2 web-3 web-4 web-5".repeat(9);
        let value = pack(&(7_u64, true), &plain).unwrap();
        let whole: Packed<(u64, bool)> = record::decode(b"", &value).unwrap();
        assert_eq!((whole.head, whole.plain), ((7, true), plain));
        let OnlyHead(head) = record::decode::<OnlyHead<(u64, bool)>>(b"", &value).unwrap();
        assert_eq!(head, (7, true));
        let ends = (0..value.len()).map(|end| value[..end].to_vec());
        let turned = (0..value.len()).map(|at| {
            let mut value = value.clone();
            value[at] ^= 0x10;
            value
        });
        // How many rows continue it is not part of what it says.
        let is_number_of_parts = |bytes: &[u8]| {
            bytes.len() == value.len() && bytes[5..] == value[5..] && bytes[0] == value[0]
        };
        for wrong in ends.chain(turned).filter(|it| !is_number_of_parts(it)) {
            assert!(record::decode::<Packed<(u64, bool)>>(b"", &wrong).is_err());
        }
    }
}
