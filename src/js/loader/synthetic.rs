//! Modules that are made here: their addresses and their texts.

use super::quoted;

/// Addresses of modules made here, for one of the user's each.
pub(super) const SYNTHETIC: &str = "volley:";
/// Modules of one line, which the user's modules import behind everything else: they tell whose turn it is.
pub(super) const HERE: &str = "volley:here?";
/// Modules that stand for CommonJS files where those are imported.
pub(super) const COMMONJS: &str = "volley:commonjs?";
/// Modules that give an ES module its `require`.
pub(super) const REQUIRE: &str = "volley:require?";
/// Modules of ours without their default export: what `import * as` gets.
pub(super) const STAR: &str = "volley:star?";
/// Modules that stand for those that are not offered.
pub(super) const ABSENT: &str = "volley:absent?";
/// Modules that throw, because a name is missing: its error and its stack, as JSON.
pub(super) const MISSING: &str = "volley:missing?";

/// The module with what functions call that keep the context of their samples.
pub(super) const CONTEXT: &str = "volley:context";

/// The module of k6's that drives a browser.
pub(super) const BROWSER: &str = "k6/browser";

/// The start of the names of k6's extensions.
pub(super) const EXTENSIONS: &str = "k6/x/";

/// True for a name of what k6 has, or can be given, and that may not be offered here.
pub(super) fn is_extension(name: &str) -> bool {
    name == BROWSER || name.starts_with(EXTENSIONS)
}

/// Why a module is not offered, and what to do; `offered` are the extensions that are here.
fn absence(name: &str, offered: &[&str]) -> String {
    if name == BROWSER {
        return format!(
            "the module {name:?} is not offered: this build leaves it out (`--features browser`); run the scenarios that use \
             it with one that has it"
        );
    }
    let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
    format!(
        "the module {name:?} is not offered: of k6's extensions, this build has {offered}; run the scenarios that use it with a \
         k6 that has it"
    )
}

/// The text of a module that is made here; `offered` are the extensions that are here.
pub(super) fn text(address: &str, offered: &[&str]) -> String {
    if let Some(url) = address.strip_prefix(HERE) {
        return format!("import {{ here }} from 'native:volley/globals'; here({});", quoted(url));
    }
    if address == CONTEXT {
        return "import { once } from 'native:engine';\nexport const { captureContext, resumeContext, restoreContext, carry, iterate } \
                = once('volley/async_context');"
            .to_owned();
    }
    if let Some(url) = address.strip_prefix(REQUIRE) {
        let url = quoted(url);
        return format!(
            "import {{ require as from }} from 'volley/commonjs'; export const require = (name) => from(name, {url});"
        );
    }
    if let Some(name) = address.strip_prefix(STAR) {
        return format!("export * from {};", quoted(name));
    }
    if let Some(name) = address.strip_prefix(ABSENT) {
        return format!(
            "const refuse = () => {{ throw new GoError({}); }};\nexport const absent = new Proxy(function () {{}}, new \
             Proxy({{}}, {{ get: () => refuse }}));",
            quoted(&absence(name, offered))
        );
    }
    if let Some(given) = address.strip_prefix(MISSING) {
        return format!(
            "const [message, value] = {given}; throw Object.defineProperty(new SyntaxError(message), 'stack', {{ value, \
             writable: true, configurable: true }});"
        );
    }
    let url = quoted(address.strip_prefix(COMMONJS).unwrap_or(address));
    format!(
        "import {{ commonjs }} from 'volley/commonjs'; export const live = commonjs({url}); const all = live.exports; \
         export {{ all as 'module.exports' }};"
    )
}
