//! What a script may do on this machine besides sending load: nothing, unless who starts it says so.

/// What was allowed with `--allow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Run programs: `k6/x/exec`.
    pub exec: bool,
    /// Read and write files anywhere: `k6/x/file`. The file of an SQLite database that a script names needs none of it: scripts
    /// for k6's driver run unchanged.
    pub file: bool,
}

impl Permissions {
    /// Reads `exec,file`.
    ///
    /// # Errors
    /// A name that means nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut permissions = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "exec" => permissions.exec = true,
                "file" => permissions.file = true,
                _ => return Err(format!("there is nothing to allow called `{name}`, only `exec` and `file`")),
            }
        }
        Ok(permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_read() {
        let check = |text: &str, expect: Result<(bool, bool), &str>| {
            let found = Permissions::parse(text);
            let found = found.as_ref().map(|known| (known.exec, known.file)).map_err(String::as_str);
            assert_eq!(found, expect, "{text}");
        };
        check("", Ok((false, false)));
        check("exec", Ok((true, false)));
        check(" file , exec,", Ok((true, true)));
        check("exec,all", Err("there is nothing to allow called `all`, only `exec` and `file`"));
        check("Exec", Err("there is nothing to allow called `Exec`, only `exec` and `file`"));
    }
}
