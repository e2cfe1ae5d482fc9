//! Descriptors of files put together. What the library would take very long for, or never end with, is written otherwise or
//! refused before it sees it: servers may describe themselves as they like.

use protox::prost_reflect::DescriptorPool;
use protox::prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use rustc_hash::FxHashMap;

use super::editions::FieldTraits;

/// How many files may be seen over `import public`, added up over all files.
const MAX_INDIRECT_IMPORTS: usize = 100_000;
/// What the library may do, in steps of about 10 ns.
const MAX_STEPS: u64 = 100_000_000;
/// How many imports of imported files the library may look at.
const MAX_LOOKUPS: u64 = 10_000_000;
/// How long all full names may be together, in bytes.
const MAX_NAMES: u64 = 64 << 20;
/// How many names a package may be made of: types are looked for in each.
const MAX_PARTS: u64 = 100;

/// Files that fit together.
pub struct Linked {
    pub pool: DescriptorPool,
    pub traits: FieldTraits,
}

/// What does not fit together.
#[derive(Debug)]
pub struct LinkError {
    /// Without the place.
    pub text: String,
    /// `file:line:column: text` where that is known.
    pub whole: String,
}

impl LinkError {
    fn new(text: String) -> Self {
        Self { whole: text.clone(), text }
    }

    /// An error at a path in the descriptor of a file.
    pub fn at(file: &str, places: Option<&SourcePlaces>, path: &[i32], text: String) -> Self {
        let place = places.and_then(|places| places.find(path));
        let place = place.map_or_else(String::new, |(line, column)| format!("{}:{}:", line + 1, column + 1));
        Self { whole: format!("{file}:{place} {text}"), text }
    }
}

/// Where the parts of a file stand, in a fraction of the memory that the parser's own list takes.
#[derive(Debug, Default)]
pub struct SourcePlaces {
    /// The paths of the parts, one behind the other.
    paths: Vec<i32>,
    /// Where each path ends, and line and column of the part, from 0.
    places: Vec<(usize, i32, i32)>,
}

impl SourcePlaces {
    /// Takes them out of a file.
    pub fn take(file: &mut FileDescriptorProto) -> Self {
        let mut taken = Self::default();
        for part in file.source_code_info.take().into_iter().flat_map(|info| info.location) {
            if let [line, column, ..] = part.span[..] {
                taken.paths.extend_from_slice(&part.path);
                taken.places.push((taken.paths.len(), line, column));
            }
        }
        taken
    }

    fn find(&self, path: &[i32]) -> Option<(i32, i32)> {
        let mut begin = 0;
        self.places.iter().find_map(|(end, line, column)| {
            let known = &self.paths[begin..*end];
            begin = *end;
            (known == path).then_some((*line, *column))
        })
    }
}

/// Puts files together, in any order; names of files are there once. `places` has, by their names, where things stand in them.
///
/// # Errors
/// What does not fit together, or is more than any compiler writes.
pub fn link(
    mut files: Vec<FileDescriptorProto>,
    traits: FieldTraits,
    places: &FxHashMap<String, SourcePlaces>,
) -> Result<Linked, LinkError> {
    let order = sorted(&files).map_err(LinkError::new)?;
    check_effort(&files).map_err(LinkError::new)?;
    flatten_imports(&mut files, &order).map_err(LinkError::new)?;
    let mut pool = DescriptorPool::new();
    for at in order {
        let file = std::mem::take(&mut files[at]);
        let name = file.name().to_owned();
        pool.add_file_descriptor_proto(file).map_err(|error| match error.path() {
            Some(path) => LinkError::at(error.file().unwrap_or(&name), places.get(&name), path, error.to_string()),
            None => LinkError::new(error.to_string()),
        })?;
    }
    Ok(Linked { pool, traits })
}

/// The places of all files, those that are imported first.
///
/// # Errors
/// Files that import each other in a circle, and two of one name.
fn sorted(files: &[FileDescriptorProto]) -> Result<Vec<usize>, String> {
    let places = places(files);
    if places.len() < files.len() {
        let twice = files.iter().enumerate().find(|(at, file)| places[file.name()] != *at);
        let name = twice.map_or("", |(_, file)| file.name());
        return Err(format!("a different file named '{name}' has already been added"));
    }
    // How many imports of a file are not done yet, and by which files a file is imported.
    let mut missing = vec![0_usize; files.len()];
    let mut importers: Vec<Vec<usize>> = vec![Vec::new(); files.len()];
    for (at, file) in files.iter().enumerate() {
        for imported in file.dependency.iter().filter_map(|name| places.get(&**name)) {
            importers[*imported].push(at);
            missing[at] += 1;
        }
    }
    let mut order: Vec<usize> = (0..files.len()).filter(|at| missing[*at] == 0).collect();
    let mut next = 0;
    while let Some(&done) = order.get(next) {
        next += 1;
        for importer in &importers[done] {
            missing[*importer] -= 1;
            if missing[*importer] == 0 {
                order.push(*importer);
            }
        }
    }
    if order.len() == files.len() {
        return Ok(order);
    }
    // Some that are left only import one in the circle; from any, imports that are left lead into it.
    let left = |at: &usize| missing[*at] > 0;
    let mut at = (0..files.len()).filter(left).min_by_key(|at| files[*at].name()).unwrap_or_default();
    for _ in 0..files.len() {
        let imports = files[at].dependency.iter().filter_map(|name| places.get(&**name).copied());
        at = imports.filter(left).min_by_key(|at| files[*at].name()).unwrap_or(at);
    }
    Err(format!("the file {:?} imports itself, maybe over others", files[at].name()))
}

fn places(files: &[FileDescriptorProto]) -> FxHashMap<&str, usize> {
    files.iter().enumerate().map(|(at, file)| (file.name(), at)).collect()
}

/// Imports every file directly that is seen over public imports: the library follows these along every way there is, and two
/// of them in a row not at all.
fn flatten_imports(files: &mut [FileDescriptorProto], order: &[usize]) -> Result<(), String> {
    let places = places(files);
    // What whoever imports a file sees besides it.
    let mut public: Vec<Vec<usize>> = vec![Vec::new(); files.len()];
    let mut added: Vec<Vec<String>> = vec![Vec::new(); files.len()];
    // The last file that saw a file.
    let mut seen_by = vec![usize::MAX; files.len()];
    let mut indirect = 0;
    for &at in order {
        let file = &files[at];
        for (name, number) in file.dependency.iter().zip(0..) {
            let Some(&imported) = places.get(&**name) else { continue };
            seen_by[imported] = at;
            if file.public_dependency.contains(&number) {
                public[at].push(imported);
            }
        }
        let direct = public[at].clone();
        for name in &file.dependency {
            let Some(&imported) = places.get(&**name) else { continue };
            for &further in &public[imported] {
                if seen_by[further] != at {
                    seen_by[further] = at;
                    added[at].push(files[further].name().to_owned());
                }
            }
        }
        if !direct.is_empty() {
            let mut all: Vec<usize> = direct
                .iter()
                .flat_map(|imported| public[*imported].iter().copied())
                .chain(direct.iter().copied())
                .collect();
            all.sort_unstable();
            all.dedup();
            public[at] = all;
        }
        indirect += added[at].len();
        if indirect > MAX_INDIRECT_IMPORTS {
            return Err(format!(
                "the file {:?} and those it imports see each other over more than {MAX_INDIRECT_IMPORTS} public imports",
                file.name()
            ));
        }
    }
    for (file, added) in files.iter_mut().zip(added) {
        file.dependency.extend(added);
        // The library only looks whether there are such places.
        file.public_dependency.retain(|at| usize::try_from(*at).is_err() || *at as usize >= file.dependency.len());
    }
    // For each import, the library looks at the imports of that file.
    let places = self::places(files);
    let steps = files.iter().flat_map(|file| &file.dependency).filter_map(|name| places.get(&**name));
    let steps: u64 = steps.map(|at| files[*at].dependency.len() as u64).sum();
    if steps > MAX_LOOKUPS {
        return Err(format!(
            "the files import each other in too many ways: they see more than {MAX_LOOKUPS} imports of imports"
        ));
    }
    Ok(())
}

/// Refuses what the library compares everything with everything for, or makes very long names of.
fn check_effort(files: &[FileDescriptorProto]) -> Result<(), String> {
    let enums: Vec<&EnumDescriptorProto> = files.iter().flat_map(all_enums).collect();
    let longest_enum = enums.iter().map(|known| known.value.len()).max().unwrap_or_default() as u64;
    let messages = files.iter().flat_map(all_messages);
    let most_ranges = messages.clone().map(|(message, _)| ranges(message)).max().unwrap_or_default();
    let (mut steps, mut names) = (0, 0);
    let mut spend = |more: u64, longer: u64, what: &str, name: &str| {
        steps += more;
        names += longer;
        if steps > MAX_STEPS {
            return Err(format!("{what} {name:?} has more fields, values and ranges than can be checked"));
        }
        if names > MAX_NAMES {
            return Err(format!("the full names in {what} {name:?} and before are longer than {} MB", MAX_NAMES >> 20));
        }
        Ok(())
    };
    for known in enums {
        // Values are kept in the order of their numbers.
        let (mut highest, mut moved) = (i32::MIN, 0);
        for (value, at) in known.value.iter().zip(0_u64..) {
            if value.number() < highest {
                moved += at;
            }
            highest = highest.max(value.number());
        }
        let steps = moved / 16 + known.value.len() as u64 * known.reserved_range.len() as u64 / 4;
        spend(steps, 0, "the enum", known.name())?;
    }
    for (message, length) in messages {
        let (fields, extensions) = (message.field.len() as u64, message.extension.len() as u64);
        let values = message.enum_type.iter().map(|known| known.value.len() as u64).sum::<u64>();
        let steps =
            fields * ranges(message) / 4 + extensions * most_ranges / 4 + defaults(&message.field) * longest_enum / 2;
        let names = 1 + fields + extensions + message.oneof_decl.len() as u64 + values;
        spend(steps, names * length as u64, "the message", message.name())?;
    }
    for file in files {
        let length = file.package().len() as u64;
        let parts = file.package().split('.').count() as u64;
        if parts > MAX_PARTS {
            return Err(format!("the package of the file {:?} has more than {MAX_PARTS} parts", file.name()));
        }
        let enums = file.enum_type.iter().map(|known| known.value.len()).sum::<usize>();
        let methods = file.service.iter().map(|service| service.method.len()).sum::<usize>();
        let names = parts + (enums + methods + file.extension.len()) as u64;
        spend(file.extension.len() as u64 * most_ranges / 4, names * length, "the file", file.name())?;
    }
    Ok(())
}

fn ranges(message: &DescriptorProto) -> u64 {
    (message.reserved_range.len() + message.extension_range.len()) as u64
}

/// How many fields have a default that is looked for among the values of an enum.
fn defaults(fields: &[FieldDescriptorProto]) -> u64 {
    fields.iter().filter(|field| field.default_value.is_some() && field.type_name.is_some()).count() as u64
}

/// All messages of a file, and how long their full names are.
fn all_messages(file: &FileDescriptorProto) -> impl Iterator<Item = (&DescriptorProto, usize)> + Clone {
    let named = |message, around: usize| (message, around + 1 + DescriptorProto::name(message).len());
    let mut messages: Vec<(&DescriptorProto, usize)> =
        file.message_type.iter().map(|message| named(message, file.package().len())).collect();
    let mut next = 0;
    while let Some(&(message, length)) = messages.get(next) {
        messages.extend(message.nested_type.iter().map(|nested| named(nested, length)));
        next += 1;
    }
    messages.into_iter()
}

fn all_enums(file: &FileDescriptorProto) -> Vec<&EnumDescriptorProto> {
    file.enum_type.iter().chain(all_messages(file).flat_map(|(message, _)| &message.enum_type)).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use prost::Message as _;
    use protox::prost_reflect::prost_types::{EnumValueDescriptorProto, descriptor_proto::ReservedRange};

    use super::super::load::Schemas;
    use super::*;

    fn file(name: &str, public: &[String]) -> FileDescriptorProto {
        FileDescriptorProto {
            name: Some(name.to_owned()),
            dependency: public.to_vec(),
            public_dependency: (0..public.len() as i32).collect(),
            message_type: vec![DescriptorProto {
                name: Some(format!("M_{}", name.replace('.', "_"))),
                ..DescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        }
    }

    /// What becomes of files as a server describes them.
    fn described(files: &[FileDescriptorProto]) -> Result<(), String> {
        Schemas::default().descriptors(files.iter().map(|file| file.encode_to_vec().into()).collect()).map(|_| ())
    }

    /// So many layers, each file of which imports both of the next.
    fn layers(count: usize) -> Vec<FileDescriptorProto> {
        let names = |layer: usize| -> Vec<String> {
            if layer < count { (0..2).map(|number| format!("f{layer}_{number}")).collect() } else { Vec::new() }
        };
        (0..count).flat_map(|layer| names(layer).into_iter().map(move |name| file(&name, &names(layer + 1)))).collect()
    }

    #[test]
    fn layers_of_public_imports_are_read() {
        // Followed one by one, these are 2^100 ways.
        assert_eq!(described(&layers(100)), Ok(()));
        let refused = described(&layers(200)).unwrap_err();
        assert_eq!(
            refused,
            "the files import each other in too many ways: they see more than 10000000 imports of imports"
        );
        let refused = described(&layers(400)).unwrap_err();
        assert!(refused.ends_with("see each other over more than 100000 public imports"), "{refused}");
        let chain: Vec<_> = (0..5000).map(|at| file(&format!("f{at}"), &[format!("f{}", at + 1)])).collect();
        assert!(described(&chain).unwrap_err().contains("public imports"));
    }

    #[test]
    fn what_is_imported_publicly_is_seen_however_far_away() {
        let mut first = file("first", &["a".to_owned()]);
        first.message_type[0].field.push(FieldDescriptorProto {
            name: Some("x".to_owned()),
            number: Some(1),
            type_name: Some(".M_c".to_owned()),
            ..FieldDescriptorProto::default()
        });
        let rest = [file("a", &["b".to_owned()]), file("b", &["c".to_owned()]), file("c", &[])];
        let all = |first: &FileDescriptorProto, rest: &[FileDescriptorProto]| {
            described(&std::iter::once(first.clone()).chain(rest.iter().cloned()).collect::<Vec<_>>())
        };
        assert_eq!(all(&first, &rest), Ok(()));
        let mut rest = rest;
        rest[1].public_dependency.clear();
        assert_eq!(all(&first, &rest).unwrap_err(), "name 'M_c' is not defined");
    }

    #[test]
    fn what_would_be_compared_for_minutes_is_refused() {
        let mut descending = file("a", &[]);
        descending.enum_type.push(EnumDescriptorProto {
            name: Some("Down".to_owned()),
            value: (0..100_000)
                .map(|at| EnumValueDescriptorProto { name: Some(format!("V{at}")), number: Some(-at), options: None })
                .collect(),
            ..EnumDescriptorProto::default()
        });
        let expect = "the enum \"Down\" has more fields, values and ranges than can be checked";
        assert_eq!(described(&[descending]).unwrap_err(), expect);
        let mut reserving = file("a", &[]);
        let message = &mut reserving.message_type[0];
        message.reserved_range = vec![ReservedRange { start: Some(500_000_000), end: Some(500_000_001) }; 50_000];
        message.field = (1..=15_000)
            .map(|number| FieldDescriptorProto {
                name: Some(format!("f{number}")),
                number: Some(number),
                r#type: Some(5),
                ..FieldDescriptorProto::default()
            })
            .collect();
        let expect = "the message \"M_a\" has more fields, values and ranges than can be checked";
        assert_eq!(described(&[reserving.clone()]).unwrap_err(), expect);
        reserving.message_type[0].reserved_range.clear();
        assert_eq!(described(&[reserving.clone()]), Ok(()));
        reserving.package = Some("p".repeat(10_000));
        let expect = "the full names in the message \"M_a\" and before are longer than 64 MB";
        assert_eq!(described(&[reserving.clone()]).unwrap_err(), expect);
        reserving.package = Some("p.".repeat(200) + "p");
        let expect = "the package of the file \"a\" has more than 100 parts";
        assert_eq!(described(&[reserving]).unwrap_err(), expect);
    }

    #[test]
    fn a_hundred_thousand_fields_are_read_in_linear_time() {
        let mut text = String::from("syntax = \"proto3\"; message M {\n");
        for number in (1..19_000).chain(20_000..101_000) {
            _ = writeln!(text, "optional int32 f{number} = {number} [deprecated = true];");
        }
        let schema = super::super::load::schema_of(&(text + "}")).unwrap();
        assert_eq!(schema.messages.iter().find(|message| &*message.full_name == "M").unwrap().fields.len(), 99_999);
    }
}
