//! The tables in `benches/README.md`, and on which machine they were made.

// A vocabulary: each target uses its part.
#![allow(dead_code)]

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Puts a table between its two marks on the page, with a line above it that says where and when it was made.
pub(crate) fn put(name: &str, table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md");
    let page = fs::read_to_string(&file).expect("the page is there");
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = page.split_once(&begin).expect("where the table begins");
    let (_, after) = rest.split_once(&end).expect("where the table ends");
    let page = format!("{before}{begin}\n{}\n\n{table}\n{end}{after}", made());
    fs::write(file, page).expect("the page can be written");
}

/// A line of a Markdown table.
pub(crate) fn row<C: Display>(cells: impl IntoIterator<Item = C>) -> String {
    let cells = cells.into_iter().map(|cell| format!(" {cell} |"));
    format!("|{}\n", cells.collect::<String>())
}

/// Its first two lines.
pub(crate) fn head(titles: &[&str]) -> String {
    row(titles) + &row(titles.iter().map(|_| "---"))
}

/// The least, the median and the most of some measurements.
pub(crate) fn spread(mut values: Vec<f64>, digits: usize) -> String {
    let median = median(&mut values);
    let (least, most) = (values[0], values[values.len() - 1]);
    format!("{least:.digits$} / **{median:.digits$}** / {most:.digits$}")
}

/// The median; the values are in order after that.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        values[half]
    } else {
        f64::midpoint(values[half - 1], values[half])
    }
}

/// When, by what and on what machine.
fn made() -> String {
    let day = said("date", &["-u", "+%F"]);
    let commit = said("git", &["describe", "--always", "--dirty"]);
    let version = env!("CARGO_PKG_VERSION");
    let (compiler, kernel) = (said("rustc", &["-V"]), said("uname", &["-srm"]));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("a processor that does not say what it is", |(_, model)| {
            model
        });
    format!(
        "{day}, steadfast {version} ({commit}), {compiler}, {kernel}, {cores} cores of {model}."
    )
}

/// What a program says of itself.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("no {program}"))
}
