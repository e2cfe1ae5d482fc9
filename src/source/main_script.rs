//! The script a command was given: a path, a URL, `-` for stdin, or an archive of all of them.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::archive::{self, Archive, ArchiveMetadata};
use super::files::{Fetch, words};
use super::module::Module;
use super::specifier::{directory, file_path, file_url, not_on_disk, wrong_scheme};
use super::{Disk, FileSet, MapDisk};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::units::redact::redact;

/// The value of `--type`; without it the first bytes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptType {
    /// Code.
    Js,
    /// A tar file made by `archive`.
    Archive,
}

/// The script, where its files come from, and what an archive says about it.
#[derive(Debug)]
pub struct MainScript {
    /// The entry point.
    pub module: Module,
    /// Where `open()` of the entry point's own code looks first: a directory's URL.
    pub open_base: String,
    /// All files.
    pub files: std::sync::Arc<FileSet>,
    /// Set if it came as an archive: options, variables and the like.
    pub archive: Option<ArchiveMetadata>,
}

impl MainScript {
    /// Loads what `argument` names. `cwd` is absolute; `stdin` is read only for `-`.
    ///
    /// # Errors
    /// Code 255: a missing file, a scheme that isn't supported, an archive that can't be read.
    pub fn load(
        argument: &str,
        script_type: Option<ScriptType>,
        disk: impl Disk + 'static,
        cwd: &Path,
        stdin: &mut dyn Read,
        fetch: Fetch,
    ) -> Result<Self, Failure> {
        let cwd_url = format!("{}/", file_url(&cwd.to_string_lossy()).trim_end_matches('/'));
        let files = FileSet::new(disk, fetch);
        let (url, bytes, open_base) = if argument == "-" {
            let mut bytes = Vec::new();
            stdin.read_to_end(&mut bytes).map_err(|error| other(format!("reading stdin: {error}")))?;
            let bytes = Bytes::from(bytes);
            files.remember("file:///-", bytes.clone());
            ("file:///-".to_owned(), bytes, cwd_url)
        } else {
            let (url, bytes) = find(argument, cwd, &files)?;
            let base = directory(&url);
            (url, bytes, base)
        };
        let is_archive = match script_type {
            Some(script_type) => script_type == ScriptType::Archive,
            None => archive::is_tar(&bytes),
        };
        if is_archive {
            return Self::unpack(&bytes);
        }
        Ok(Self { module: Module::new(&url, &bytes), open_base, files: files.into(), archive: None })
    }

    /// A script that is part of the program.
    pub fn embedded(url: &str, text: &'static str, files: FileSet) -> Self {
        let bytes = Bytes::from_static(text.as_bytes());
        files.remember(url, bytes.clone());
        Self { module: Module::new(url, &bytes), open_base: directory(url), files: files.into(), archive: None }
    }

    /// The script in an archive.
    ///
    /// # Errors
    /// The archive can't be read.
    pub fn unpack(bytes: &Bytes) -> Result<Self, Failure> {
        let archive = Archive::read(bytes).exit(ExitCode::Other)?;
        let disk: MapDisk = archive.local_files().collect();
        let files = FileSet::new(disk, FileSet::offline());
        for (url, bytes) in archive.remote_files() {
            files.remember(&files.conceal(&url), bytes);
        }
        let mut metadata = archive.metadata;
        metadata.filename = files.conceal(&metadata.filename);
        files.remember(&metadata.filename, archive.main.clone());
        let open_base = if metadata.filename == "file:///-" {
            format!("{}/", metadata.pwd.trim_end_matches('/'))
        } else {
            directory(&metadata.filename)
        };
        let module = Module::new(&metadata.filename, &archive.main);
        Ok(Self { module, open_base, files: files.into(), archive: Some(metadata) })
    }
}

fn other(message: String) -> Failure {
    Failure::new(ExitCode::Other, message)
}

/// Finds the file of an argument: relative to `cwd` first, by its scheme if nothing is there.
fn find(argument: &str, cwd: &Path, files: &FileSet) -> Result<(String, Bytes), Failure> {
    let path: PathBuf = cwd.join(argument);
    let local = file_url(&path.to_string_lossy());
    let scheme = argument.split_once("://").map(|(scheme, _)| scheme);
    let url = match scheme {
        None => local,
        Some("file") => file_path(argument).map_or(local, |path| file_url(&path)),
        Some("https") => files.conceal(argument),
        Some(scheme) => return Err(other(wrong_scheme(&redact(argument), scheme))),
    };
    let argument = redact(argument);
    let bytes = files.bytes(&url).map_err(|error| match error {
        Ok(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let failure = other(not_on_disk(&argument));
            match files.meant(&argument, &url) {
                Some(meant) => failure.hint(format!("did you mean {meant}?")),
                None => failure,
            }
        }
        Ok(error) => other(format!("read {}: {}", file_path(&url).unwrap_or_default(), words(&error))),
        Err(cause) => other(format!(
            "The moduleSpecifier \"{argument}\" couldn't be retrieved from the resolved url \"{url}\". Error : \"{cause}\""
        )),
    })?;
    Ok((url, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(argument: &str, stdin: &str) -> Result<MainScript, Failure> {
        let disk: MapDisk = [("/app/main.js", "main"), ("/app/dir/x.js", "x")].into_iter().collect();
        MainScript::load(argument, None, disk, Path::new("/app"), &mut stdin.as_bytes(), FileSet::offline())
    }

    #[test]
    fn scripts_are_found() {
        let check = |argument: &str, expect: &str| {
            let script = load(argument, "from stdin").unwrap();
            assert_eq!(format!("{} {} {}", script.module.url, script.module.text, script.open_base), expect);
        };
        check("main.js", "file:///app/main.js main file:///app/");
        check("./dir/../main.js", "file:///app/main.js main file:///app/");
        check("/app/dir/x.js", "file:///app/dir/x.js x file:///app/dir/");
        check("file:///app/main.js", "file:///app/main.js main file:///app/");
        check("-", "file:///- from stdin file:///app/");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let check = |argument: &str, expect: &str| {
            let failure = load(argument, "").unwrap_err();
            assert_eq!(failure.code, ExitCode::Other);
            assert!(failure.message.starts_with(expect), "{}", failure.message);
        };
        check("nope.js", "The moduleSpecifier \"nope.js\" couldn't be found on local disk. Make sure");
        check("http://h/x.js", "only supported schemes for imports are file and https, http://h/x.js has `http`");
        check("https://h/x.js", "The moduleSpecifier \"https://h/x.js\" couldn't be retrieved from the resolved url");
        check("dir", "read /app/dir: is a directory");
    }
}
