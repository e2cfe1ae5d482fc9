//! Which records exist, in a file of the results from the moment they are asked for, so that even after a kill they are
//! not made twice and can be removed. One line of JSON for each step; of answers only what requests need is kept.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::summary::writing;

/// The file's name.
pub const FILE: &str = "created_records.ndjson";

/// Parts of the answer that made a record, by path.
pub type CreatedFields = BTreeMap<String, Value>;

/// One step in the life of a record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RecordEvent {
    /// It was asked for.
    Sent(u64),
    /// It was made.
    Made(u64, CreatedFields),
    /// It was refused, or removed.
    Gone(u64),
}

/// The records that may exist.
pub struct CreatedRecords {
    path: PathBuf,
    file: File,
    /// By number; nothing known of one that was asked for and not answered.
    standing: BTreeMap<u64, Option<CreatedFields>>,
}

impl CreatedRecords {
    /// The ledger of a results folder, with what it held.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        let cannot =
            |error: io::Error| Failure::new(ExitCode::Other, format!("{}: {}", path.display(), writing::plain(&error)));
        let old = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            old => old.map_err(cannot)?,
        };
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(cannot)?;
        if !old.is_empty() && !old.ends_with('\n') {
            file.write_all(b"\n").map_err(cannot)?;
        }
        let mut ledger = Self { path, file, standing: BTreeMap::new() };
        // A line that a kill cut off is of no use; all before it are whole.
        for step in old.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            ledger.take(step);
        }
        Ok(ledger)
    }

    fn take(&mut self, step: RecordEvent) {
        match step {
            RecordEvent::Sent(number) => _ = self.standing.entry(number).or_default(),
            RecordEvent::Made(number, created) => _ = self.standing.insert(number, Some(created)),
            RecordEvent::Gone(number) => _ = self.standing.remove(&number),
        }
    }

    fn write(&mut self, step: RecordEvent) -> Result<(), String> {
        let mut line = serde_json::to_string(&step).map_err(|error| error.to_string())?;
        line.push('\n');
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|error| format!("could not write '{}': {}", self.path.display(), writing::plain(&error)))?;
        self.take(step);
        Ok(())
    }

    /// A record is about to be asked for.
    ///
    /// # Errors
    /// As the file system says: then it must not be asked for.
    pub fn sent(&mut self, number: u64) -> Result<(), String> {
        self.write(RecordEvent::Sent(number))
    }

    /// A record was made.
    ///
    /// # Errors
    /// As the file system says.
    pub fn made(&mut self, number: u64, created: CreatedFields) -> Result<(), String> {
        self.write(RecordEvent::Made(number, created))
    }

    /// A record was refused, or removed.
    ///
    /// # Errors
    /// As the file system says.
    pub fn gone(&mut self, number: u64) -> Result<(), String> {
        self.write(RecordEvent::Gone(number))
    }

    /// What is known of a record that was made.
    pub fn created(&self, number: u64) -> Option<&CreatedFields> {
        self.standing.get(&number)?.as_ref()
    }

    /// The records that were made and not removed.
    pub fn all_made(&self) -> Vec<u64> {
        self.standing.iter().filter(|(_, created)| created.is_some()).map(|(number, _)| *number).collect()
    }

    /// The records nobody knows about: asked for, and no answer.
    pub fn unknown(&self) -> Vec<u64> {
        self.standing.iter().filter(|(_, created)| created.is_none()).map(|(number, _)| *number).collect()
    }

    /// Ends the work with it: a ledger without records leaves no file behind.
    pub fn close(self) {
        if self.standing.is_empty() {
            // Should it stay: it says itself that all are gone.
            _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_again_even_after_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let id = |id: u64| CreatedFields::from([("id".to_owned(), id.into())]);
        let mut ledger = CreatedRecords::open(folder.path()).unwrap();
        for number in 1..=4 {
            ledger.sent(number).unwrap();
        }
        ledger.made(1, id(11)).unwrap();
        ledger.made(2, id(12)).unwrap();
        ledger.gone(3).unwrap();
        drop(ledger);
        let path = folder.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"made\":[4,{\"i");
        std::fs::write(&path, text).unwrap();
        let mut ledger = CreatedRecords::open(folder.path()).unwrap();
        assert_eq!((ledger.all_made(), ledger.unknown()), (vec![1, 2], vec![4]));
        assert_eq!(ledger.created(2), Some(&id(12)));
        ledger.gone(1).unwrap();
        ledger.close();
        let mut ledger = CreatedRecords::open(folder.path()).unwrap();
        assert_eq!((ledger.all_made(), ledger.unknown()), (vec![2], vec![4]));
        ledger.gone(2).unwrap();
        ledger.gone(4).unwrap();
        ledger.close();
        assert!(!path.exists());
    }
}
