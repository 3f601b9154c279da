//! What a disk may hold after a power cut: of each file what was synced, and of what was written
//! since any part.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::recorder::{BLOCK_BYTES, Blocks, Moment, Traced};
use crate::store::embedded::checkpoint_tests::Dice;

const SECTOR_BYTES: usize = 512;

/// What is written of the names of files that were made or removed and not synced.
#[derive(Clone, Copy, Debug)]
enum Names {
    Old,
    New,
    Any,
}

/// What reached the disk of what was written to a file and not synced.
#[derive(Clone, Copy, Debug)]
enum Reached {
    Nothing,
    All,
    /// So many changed blocks, in the order of the file.
    First(usize),
    /// Of a thousand blocks so many.
    Some(u64),
}

/// Writes a folder as it may be found after the power went. Says what was chosen.
pub fn write(moment: &Moment, dice: &mut Dice, root: &Path) -> String {
    let names = match dice.below(4) {
        0 => Names::Old,
        1 => Names::New,
        _ => Names::Any,
    };
    let mut told = format!("names: {names:?}");
    for (path, traced) in &moment.files {
        let is_present = match names {
            Names::Old => traced.is_named,
            Names::Any if traced.is_named != traced.is_there => dice.below(2) == 0,
            Names::New | Names::Any => traced.is_there,
        };
        let target = root.join(path);
        // What is in a folder that is not there is not there either.
        if !is_present || !target.parent().is_some_and(Path::exists) {
            if traced.is_there {
                told.push_str(&format!("; no {}", path.display()));
            }
            continue;
        }
        if traced.is_folder {
            fs::create_dir(&target).unwrap();
            continue;
        }
        let is_old = match names {
            Names::Old => true,
            Names::New => false,
            Names::Any => dice.below(2) == 0,
        };
        if let Some(replaced) = traced.replaced.as_ref().filter(|_| is_old) {
            write_blocks(&File::create(&target).unwrap(), replaced);
            told.push_str(&format!("; {}: what was there before", path.display()));
            continue;
        }
        let choice = write_file(traced, is_whole(path), dice, &target);
        if let Some(choice) = choice {
            told.push_str(&format!("; {}: {choice}", path.display()));
        }
    }
    told
}

/// sled syncs a snapshot before it gives it its name.
fn is_whole(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.starts_with("snap.") && !name.ends_with(".generating")
}

fn write_file(traced: &Traced, is_whole: bool, dice: &mut Dice, target: &Path) -> Option<String> {
    let file = File::create(target).unwrap();
    if traced.since.is_empty() || is_whole {
        write_blocks(&file, traced.newest());
        return None;
    }
    let changed = changed_blocks(traced);
    let reached = match dice.below(8) {
        0 | 1 => Reached::Nothing,
        2 => Reached::All,
        3 | 4 => Reached::First(below(dice, changed.len() + 1)),
        _ => Reached::Some(dice.below(1_001)),
    };
    let lengths = [&traced.durable, traced.newest(), pick(dice, &traced.since)];
    let bytes = match reached {
        Reached::Nothing => traced.durable.bytes,
        Reached::All => traced.newest().bytes,
        Reached::First(_) | Reached::Some(_) => pick(dice, &lengths).bytes,
    };
    write_blocks(&file, &traced.durable);
    let torn = (dice.below(3) == 0).then(|| below(dice, changed.len().max(1)));
    for (nth, index) in changed.iter().enumerate() {
        let has_reached = match reached {
            Reached::Nothing => false,
            Reached::All => true,
            Reached::First(limit) => nth < limit,
            Reached::Some(of_thousand) => dice.below(1_000) < of_thousand,
        };
        if !has_reached {
            continue;
        }
        let version = match reached {
            Reached::Some(_) => pick(dice, &traced.since),
            Reached::Nothing | Reached::All | Reached::First(_) => traced.newest(),
        };
        let Some(block) = version.blocks.get(*index) else {
            continue;
        };
        let is_torn = torn == Some(nth) && !matches!(reached, Reached::All);
        let sectors = block.chunks(SECTOR_BYTES).enumerate();
        for (sector, written) in sectors.filter(|_| !is_torn || dice.below(2) == 0) {
            let at = index * BLOCK_BYTES + sector * SECTOR_BYTES;
            file.write_all_at(written, at as u64).unwrap();
        }
    }
    file.set_len(bytes).unwrap();
    Some(format!(
        "{reached:?} of {} blocks, torn {torn:?}, {bytes} bytes",
        changed.len()
    ))
}

/// Which blocks are not as they were when the file was synced.
fn changed_blocks(traced: &Traced) -> Vec<usize> {
    let durable = &traced.durable.blocks;
    let is_changed = |index: &usize| {
        let known = durable.get(*index);
        let mut later = traced.since.iter().map(|later| later.blocks.get(*index));
        later.any(|later| match (known, later) {
            (Some(known), Some(later)) => !Arc::ptr_eq(known, later),
            (None | Some(_), None) => false,
            (None, Some(_)) => true,
        })
    };
    let most = traced.since.iter().map(|later| later.blocks.len()).max();
    (0..most.unwrap_or(0)).filter(is_changed).collect()
}

fn write_blocks(file: &File, from: &Blocks) {
    let bytes = from
        .blocks
        .iter()
        .map(AsRef::as_ref)
        .collect::<Vec<&[u8]>>()
        .concat();
    file.write_all_at(&bytes, 0).unwrap();
}

fn below(dice: &mut Dice, limit: usize) -> usize {
    usize::try_from(dice.below(limit as u64)).unwrap()
}

fn pick<'a, T>(dice: &mut Dice, of: &'a [T]) -> &'a T {
    &of[below(dice, of.len())]
}
