//! Where schemas come from: `.proto` files, descriptor sets, and what servers say about themselves.
//!
//! Files are read as `open()` reads them, so archives hold them; every set of them is compiled once for all VUs.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use prost::Message as _;
use protox::file::{File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};
use rustc_hash::FxHashMap;

use super::editions::{self, FieldTraits};
use super::imports;
use super::link::{LinkError, Linked, SourcePlaces, link};
use super::schema::Schema;
use crate::js::loader::Loader;
use crate::units::sync::lock;

/// How many schemas that servers described are kept.
const MAX_DESCRIBED: usize = 8;
/// More files are no description of a service.
pub(super) const MAX_FILES: usize = 10_000;
/// What files of editions import to say something to the compilers of these languages.
const LANGUAGES: [&str; 3] =
    ["google/protobuf/go_features.proto", "google/protobuf/cpp_features.proto", "google/protobuf/java_features.proto"];

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
            Ok(Schema::new(&gather(files, |name| disk.open(name))?))
        })
    }

    /// The schema of a file that holds a `FileDescriptorSet`.
    ///
    /// # Errors
    /// What can't be read or does not fit together.
    pub fn set(&self, loader: &Loader, path: &str) -> Result<Arc<Schema>, String> {
        self.get(SchemaSource::Set(path.to_owned()), || {
            let bytes = loader.read(path).map_err(|text| format!("couldn't open protoset: {text}"))?;
            let linked = decode_set(&bytes).and_then(pool);
            Ok(Schema::new(&linked.map_err(|error| format!("couldn't parse protoset file {path}: {error}"))?))
        })
    }

    /// The schema of single descriptors, in any order.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn descriptors(&self, mut files: Vec<Bytes>) -> Result<Arc<Schema>, String> {
        files.sort_unstable();
        files.dedup();
        self.get(SchemaSource::Descriptors(files.clone()), || Ok(Schema::new(&pool(files)?)))
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

/// The files in a `FileDescriptorSet`.
fn decode_set(set: &Bytes) -> Result<Vec<Bytes>, String> {
    #[derive(Clone, PartialEq, prost::Message)]
    struct DescriptorSetBytes {
        #[prost(bytes = "bytes", repeated, tag = "1")]
        files: Vec<Bytes>,
    }
    DescriptorSetBytes::decode(set.clone()).map(|set| set.files).map_err(|error| error.to_string())
}

/// Links single descriptors, in any order.
fn pool(files: Vec<Bytes>) -> Result<Linked, String> {
    let mut traits = FieldTraits::default();
    let mut read = Vec::with_capacity(files.len());
    for bytes in files {
        let mut file = FileDescriptorProto::decode(bytes.clone()).map_err(|error| error.to_string())?;
        editions::translate_bytes(&mut file, &bytes, &mut traits)?;
        check(&file)?;
        // Places in files that are not here.
        file.source_code_info = None;
        read.push(file);
    }
    link(read, traits, &FxHashMap::default()).map_err(|error| error.text)
}

/// What is read of a `.proto` file.
struct ParsedProto {
    file: FileDescriptorProto,
    places: SourcePlaces,
    /// Is of an edition, and not translated yet.
    is_edition: bool,
}

/// Reads files and everything they import, and links them.
fn gather(wanted: Vec<String>, open: impl Fn(&str) -> Result<Option<ParsedProto>, String>) -> Result<Linked, String> {
    let mut traits = FieldTraits::default();
    let mut files: Vec<FileDescriptorProto> = Vec::new();
    let mut states: FxHashMap<String, IsDone> = FxHashMap::default();
    // The files that import each other, and which import of each is next.
    let mut way: Vec<(FileDescriptorProto, usize)> = Vec::new();
    let mut all_places: FxHashMap<String, SourcePlaces> = FxHashMap::default();
    let mut begin = |name: &str,
                     states: &mut FxHashMap<String, IsDone>,
                     all_places: &mut FxHashMap<String, SourcePlaces>|
     -> Result<Option<FileDescriptorProto>, String> {
        let Some(ParsedProto { mut file, places, is_edition }) = open(name)? else { return Ok(None) };
        if states.len() >= MAX_FILES {
            return Err(format!("{name}: more than {MAX_FILES} files are imported"));
        }
        states.insert(name.to_owned(), false);
        if is_edition {
            let translated = editions::translate_parsed(&mut file, &mut traits);
            translated.map_err(|(path, text)| LinkError::at(name, Some(&places), &path, text).whole)?;
        }
        all_places.insert(file.name().to_owned(), places);
        Ok(Some(file))
    };
    for name in wanted {
        if states.contains_key(&name) {
            continue;
        }
        way.extend(begin(&name, &mut states, &mut all_places)?.map(|file| (file, 0)));
        while let Some((file, next)) = way.last_mut() {
            let Some(import) = file.dependency.get(*next).cloned() else {
                states.insert(file.name().to_owned(), true);
                files.extend(way.pop().map(|(file, _)| file));
                continue;
            };
            let path = [3, *next as i32];
            *next += 1;
            let refused = |all_places: &FxHashMap<String, SourcePlaces>, text: String| {
                let places = all_places.get(file.name());
                Err(imports::on_disk(&LinkError::at(file.name(), places, &path, text).whole).into_owned())
            };
            if file.dependency[..*next - 1].contains(&import) {
                return refused(&all_places, format!("import '{import}' was listed twice"));
            }
            match states.get(&import) {
                Some(true) => {}
                Some(false) => {
                    let circle = way.iter().map(|(file, _)| file.name()).chain([&*import]);
                    let circle = circle.collect::<Vec<_>>().join(" -> ");
                    return Err(imports::on_disk(&format!("import cycle detected: {circle}")).into_owned());
                }
                None => match begin(&import, &mut states, &mut all_places)? {
                    Some(imported) => way.push((imported, 0)),
                    None => return refused(&all_places, format!("import '{import}' not found")),
                },
            }
        }
    }
    link(files, traits, &all_places).map_err(|error| imports::on_disk(&error.whole).into_owned())
}

/// False while a file's imports are read.
type IsDone = bool;

/// Refuses what no compiler writes, and what the library would break down on: a syntax it does not know, names that are
/// none.
fn check(file: &FileDescriptorProto) -> Result<(), String> {
    let syntax = file.syntax.as_deref().filter(|syntax| !matches!(*syntax, "proto2" | "proto3"));
    if let Some(syntax) = syntax {
        let name = file.name();
        return Err(format!(
            "the file {name:?} has the syntax {syntax:?}; known are \"proto2\", \"proto3\" and \"editions\""
        ));
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

/// Parses the text of a `.proto` file.
fn parse(name: &str, text: &str) -> Result<ParsedProto, String> {
    let text = &*imports::without_comments(text);
    let edition = editions::opened(text).map_err(|(at, text_of_error)| {
        let before = &text[..at];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        format!("{}:{line}:{column}: {text_of_error}", imports::on_disk(name))
    })?;
    let source = imports::normalized(edition.as_deref().unwrap_or(text));
    let parsed = File::from_source(name, &source);
    let is_edition = edition.is_some();
    // Its other form leaves the place out.
    let words = |error| imports::on_disk(&format!("{error:?}")).into_owned();
    let words = |error: protox::Error| match words(error) {
        text if is_edition => text.replace("proto3 syntax", "editions"),
        text => text,
    };
    let mut file: FileDescriptorProto = parsed.map_err(words)?.into();
    Ok(ParsedProto { places: SourcePlaces::take(&mut file), file, is_edition })
}

/// The descriptor of a file that every compiler brings along.
pub(super) fn bundled(name: &str) -> Option<Bytes> {
    let file = GoogleFileResolver::new().open_file(name).ok()?;
    Some(file.file_descriptor_proto().encode_to_vec().into())
}

/// The schema of one file's text.
#[cfg(any(test, fuzzing))]
pub(super) fn schema_of(text: &str) -> Result<Schema, String> {
    let linked = gather(vec!["one.proto".to_owned()], |name| match name {
        "one.proto" => parse(name, text).map(Some),
        _ => Ok(open_bundled(&GoogleFileResolver::new(), name)),
    });
    Ok(Schema::new(&linked?))
}

/// A file that every compiler brings along.
fn open_bundled(google: &GoogleFileResolver, name: &str) -> Option<ParsedProto> {
    let mut file: FileDescriptorProto = match google.open_file(name) {
        Ok(file) => file.into(),
        // Options of other languages, which say nothing here.
        Err(_) if LANGUAGES.contains(&name) => {
            FileDescriptorProto { name: Some(name.to_owned()), ..FileDescriptorProto::default() }
        }
        Err(_) => return None,
    };
    Some(ParsedProto { places: SourcePlaces::take(&mut file), file, is_edition: false })
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

impl Folders {
    /// A file of the disk or of the compiler; `None` when there is none.
    fn open(&self, name: &str) -> Result<Option<ParsedProto>, String> {
        match self.read(name) {
            // The parser names the place of what is no text.
            Ok(bytes) => parse(name, std::str::from_utf8(&bytes).unwrap_or("\u{fffd}")).map(Some),
            Err(_) => Ok(open_bundled(&self.google, name)),
        }
    }
}
