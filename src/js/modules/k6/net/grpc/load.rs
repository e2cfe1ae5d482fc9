//! Where schemas come from: `.proto` files, descriptor sets, and what servers say about themselves.
//!
//! Files are read as `open()` reads them, so archives hold them; every set of them is compiled once for all VUs.

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use prost::Message as _;
use protox::file::{File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::DescriptorPool;
use protox::prost_reflect::prost_types::{self, DescriptorProto, EnumDescriptorProto, FileDescriptorProto};
use protox::{Compiler, Error};
use rustc_hash::FxHashMap;

use super::imports;
use super::schema::Schema;
use crate::js::loader::Loader;
use crate::units::sync::lock;

/// How many schemas that servers described are kept.
const MAX_DESCRIBED: usize = 8;

/// The schemas of a run, each made once, by what they are made of.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<FxHashMap<SchemaSource, Arc<Schema>>>);

/// What a schema is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum SchemaSource {
    /// Folders and files in them.
    Files(Vec<String>, Vec<String>),
    /// A descriptor set.
    Set(String),
    /// Descriptors a server sent.
    Descriptors(Vec<Bytes>),
}

impl Schemas {
    /// The schema of `.proto` files, looked for in `folders` one after the other.
    ///
    /// # Errors
    /// What can't be read or does not fit together, and where.
    pub fn files(&self, loader: &Arc<Loader>, folders: Vec<String>, files: Vec<String>) -> Result<Arc<Schema>, String> {
        self.get(SchemaSource::Files(folders.clone(), files.clone()), || {
            let disk = Folders { loader: loader.clone(), folders, google: GoogleFileResolver::new() };
            for file in &files {
                // A file that was asked for by name is reported missing by that name.
                if let Err(text) = disk.read(file)
                    && disk.google.open_file(file).is_err()
                {
                    return Err(text);
                }
            }
            let mut compiler = Compiler::with_file_resolver(disk);
            compiler.include_imports(true);
            for file in &files {
                compiler.open_file(file).map_err(|error| words(&error))?;
            }
            Ok(Schema::new(&compiler.descriptor_pool()))
        })
    }

    /// The schema of a file that holds a `FileDescriptorSet`.
    ///
    /// # Errors
    /// What can't be read or does not fit together.
    pub fn set(&self, loader: &Loader, path: &str) -> Result<Arc<Schema>, String> {
        self.get(SchemaSource::Set(path.to_owned()), || {
            let bytes = loader.read(path).map_err(|text| format!("couldn't open protoset: {text}"))?;
            let pool = pool(&bytes).map_err(|error| format!("couldn't parse protoset file {path}: {error}"))?;
            Ok(Schema::new(&pool))
        })
    }

    /// The schema of single descriptors, in any order.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn descriptors(&self, mut files: Vec<Bytes>) -> Result<Arc<Schema>, String> {
        files.sort_unstable();
        files.dedup();
        self.get(SchemaSource::Descriptors(files.clone()), || {
            // A `FileDescriptorSet` is a list of descriptors and nothing else.
            let mut set = Vec::new();
            for file in &files {
                super::wire::put_bytes(&mut set, 1, file);
            }
            Ok(Schema::new(&pool(&set)?))
        })
    }

    fn get(&self, source: SchemaSource, make: impl FnOnce() -> Result<Schema, String>) -> Result<Arc<Schema>, String> {
        // Held while one is made: the other VUs want the same.
        let mut made = lock(&self.0);
        if let Some(schema) = made.get(&source) {
            return Ok(schema.clone());
        }
        let schema = Arc::new(make()?);
        if let SchemaSource::Descriptors(_) = source {
            // A server may describe itself differently each time: what no client uses any more is dropped.
            let described = |source: &SchemaSource| matches!(source, SchemaSource::Descriptors(_));
            if made.keys().filter(|source| described(source)).count() >= MAX_DESCRIBED {
                made.retain(|source, schema| !described(source) || Arc::strong_count(schema) > 1);
            }
        }
        made.insert(source, schema.clone());
        Ok(schema)
    }
}

/// Links the files of a `FileDescriptorSet`.
fn pool(set: &[u8]) -> Result<DescriptorPool, String> {
    let read = prost_types::FileDescriptorSet::decode(set).map_err(|error| error.to_string())?;
    read.file.iter().try_for_each(check)?;
    check_imports(&read.file)?;
    DescriptorPool::decode(set).map_err(|error| error.to_string())
}

/// Refuses files that import each other in a circle: the library follows public imports round and round.
fn check_imports(files: &[FileDescriptorProto]) -> Result<(), String> {
    let mut left: FxHashMap<&str, &FileDescriptorProto> = files.iter().map(|file| (file.name(), file)).collect();
    loop {
        // Files all of whose imports are done are done themselves.
        let is_done = |file: &FileDescriptorProto| !file.dependency.iter().any(|name| left.contains_key(name.as_str()));
        let done: Vec<&str> = left.values().filter(|file| is_done(file)).map(|file| file.name()).collect();
        if done.is_empty() {
            let first = left.keys().min();
            return first.map_or(Ok(()), |name| Err(format!("the file {name:?} imports itself, maybe over others")));
        }
        for name in done {
            left.remove(name);
        }
    }
}

/// Refuses what no compiler writes, and what the library would break down on: a syntax it does not know, names that are
/// none.
fn check(file: &FileDescriptorProto) -> Result<(), String> {
    let syntax = file.syntax.as_deref().filter(|syntax| !matches!(*syntax, "proto2" | "proto3"));
    if let Some(syntax) = syntax {
        let name = file.name();
        return Err(format!("the file {name:?} has the syntax {syntax:?}; known are \"proto2\" and \"proto3\""));
    }
    let mut names: Vec<&str> = file.package.iter().flat_map(|package| package.split('.')).collect();
    names.retain(|name| !name.is_empty() || !file.package().is_empty());
    names.extend(file.extension.iter().map(|field| field.name()));
    for service in &file.service {
        names.push(service.name());
        names.extend(service.method.iter().map(|method| method.name()));
    }
    let mut enums: Vec<&EnumDescriptorProto> = file.enum_type.iter().collect();
    let mut messages: Vec<&DescriptorProto> = file.message_type.iter().collect();
    while let Some(message) = messages.pop() {
        names.push(message.name());
        names.extend(message.field.iter().chain(&message.extension).map(|field| field.name()));
        names.extend(message.oneof_decl.iter().map(|oneof| oneof.name()));
        enums.extend(&message.enum_type);
        messages.extend(&message.nested_type);
    }
    for known in enums {
        names.push(known.name());
        names.extend(known.value.iter().map(|value| value.name()));
    }
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match names.into_iter().find(|name| !is_name(name)) {
        Some(name) => Err(format!("the file {:?} has a name that is none: {name:?}", file.name())),
        None => Ok(()),
    }
}

/// An error of the compiler: file, line, column, and what is wrong there.
fn words(error: &Error) -> String {
    // Its other form leaves the place out.
    imports::on_disk(&format!("{error:?}")).into_owned()
}

/// The descriptor of a file that every compiler brings along.
pub(super) fn bundled(name: &str) -> Option<Bytes> {
    let file = GoogleFileResolver::new().open_file(name).ok()?;
    Some(file.file_descriptor_proto().encode_to_vec().into())
}

/// The schema of one file's text.
#[cfg(any(test, fuzzing))]
pub(super) fn schema_of(text: &str) -> Result<Schema, String> {
    struct One(String);
    impl FileResolver for One {
        fn open_file(&self, name: &str) -> Result<File, Error> {
            match name {
                "one.proto" => File::from_source(name, &imports::normalized(&self.0)),
                _ => GoogleFileResolver::new().open_file(name),
            }
        }
    }
    let mut compiler = Compiler::with_file_resolver(One(text.to_owned()));
    compiler.open_file("one.proto").map_err(|error| words(&error))?;
    Ok(Schema::new(&compiler.descriptor_pool()))
}

/// Files in folders, and those every compiler brings along.
struct Folders {
    loader: Arc<Loader>,
    folders: Vec<String>,
    google: GoogleFileResolver,
}

impl Folders {
    fn read(&self, name: &str) -> Result<Bytes, String> {
        let mut missed = None;
        let name = imports::on_disk(name);
        let folders = self.folders.iter().map(|folder| format!("{folder}/{name}"));
        let here = self.folders.is_empty().then(|| format!("./{name}"));
        for path in folders.chain(here) {
            match self.loader.read(&path) {
                Ok(bytes) => return Ok(bytes),
                Err(text) => _ = missed.get_or_insert(text),
            }
        }
        Err(missed.unwrap_or_default())
    }
}

impl FileResolver for Folders {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        path.to_str().map(str::to_owned)
    }

    fn open_file(&self, name: &str) -> Result<File, Error> {
        match self.read(name) {
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => File::from_source(name, &imports::normalized(text)),
                // The compiler names the place.
                Err(_) => File::from_source(name, "\u{fffd}"),
            },
            Err(_) => self.google.open_file(name),
        }
    }
}
