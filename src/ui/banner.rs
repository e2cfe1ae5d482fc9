//! The name of the program in large letters, above what a run says about itself.

/// The banner with the empty lines around it; yellow where colours are wanted.
pub fn banner(colors: bool) -> String {
    const LINES: [&str; 5] = [
        r"             _ _            ",
        r" __   _____ | | | ___ _   _ ",
        r" \ \ / / _ \| | |/ _ \ | | |",
        r"  \ V / (_) | | |  __/ |_| |",
        r"   \_/ \___/|_|_|\___|\__, |",
    ];
    let lines = LINES.map(|line| if colors { format!("\x1b[33m{line}\x1b[0m") } else { line.trim_end().to_owned() });
    format!("\n{}\n\n", lines.join("\n"))
}
