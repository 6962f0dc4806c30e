//! `steadfast fix`: manifests that say themselves what a cluster would inject, and what only a manifest can repair.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use tempfile::NamedTempFile;

use super::Outcome;
use super::amiss::Amiss;
use super::given::{Given, GivenArgs, Subject};
use super::input::Text;
use crate::engine::{self, Verdict};
use crate::object::yaml::{self, Edit, EditError};
use crate::report::diff::Diff;
use crate::report::{self, Located, Report};

/// Write into manifests what a cluster would inject, and what only a manifest can repair.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 done, 1 a cluster would still deny a set, 2 could not do the work; with --diff 0 nothing would change, 1 something would"
)]
pub(super) struct Fix {
    #[command(flatten)]
    given: GivenArgs,
    /// Change the files; comments, order and style of what is not touched stay
    #[arg(long, conflicts_with = "diff")]
    write: bool,
    /// Only show what would change; the exit code is 1 if anything would
    #[arg(long)]
    diff: bool,
}

/// A text with the repairs of its sets.
struct Repaired<'g> {
    text: &'g Text,
    edited: String,
    judged: Vec<(Subject<'g>, Verdict)>,
}

impl Fix {
    pub(super) fn run(self) -> Result<Outcome> {
        if self.write && self.given.paths.iter().any(|path| path.as_os_str() == "-") {
            bail!("--write: stdin is no file; without it the repaired manifest goes to stdout");
        }
        let (given, mut amiss) = self.given.read()?;
        let repair = |text| Repaired::of(&given, text, &mut amiss);
        let mut repaired: Vec<_> = given.texts.iter().map(repair).collect();
        let is_one = self.given.paths.len() == 1 && !self.given.paths[0].is_dir();
        if self.write {
            repaired.retain(|one| match one.store() {
                Ok(()) => true,
                Err(error) => {
                    amiss.fail(error);
                    false
                }
            });
        } else if is_one && !self.diff {
            // Not through what takes colours out of a text.
            let whole = repaired.iter().map(|one| one.edited.as_bytes());
            whole
                .into_iter()
                .try_for_each(|text| io::stdout().write_all(text))?;
        } else {
            repaired.iter().try_for_each(Repaired::show)?;
        }
        let changed = repaired.iter().filter(|one| one.is_changed()).count();
        let (mut done, mut left) = (0, Report::default());
        for one in repaired {
            one.judge_what_is_left(&mut left);
            done += one.say()?;
        }
        sum_up(done, changed, &left)?;
        amiss.say()?;
        let is_denied = |one: &Located| one.judged.outcome == engine::Outcome::Denied;
        let fails = if self.diff {
            changed > 0
        } else {
            left.findings.iter().any(is_denied)
        };
        Ok(if fails {
            Outcome::Findings
        } else {
            Outcome::Clean
        })
    }
}

/// Says on stderr what is left, and how much was done.
fn sum_up(done: usize, changed: usize, left: &Report) -> Result<()> {
    let mut stderr = anstream::stderr().lock();
    for finding in &left.findings {
        report::human::finding(&mut stderr, finding)?;
    }
    if left.sets == 0 {
        return Ok(());
    }
    let repaired = match (done, changed) {
        (0, _) => "nothing to repair".to_owned(),
        (1, _) => "1 repair".to_owned(),
        (done, 1) => format!("{done} repairs in 1 file"),
        (done, changed) => format!("{done} repairs in {changed} files"),
    };
    writeln!(stderr, "{repaired}; left: {}", left.in_words())?;
    Ok(())
}

impl<'g> Repaired<'g> {
    fn of(given: &'g Given, text: &'g Text, amiss: &mut Amiss) -> Self {
        let sets = given.sets(text, amiss).into_iter();
        let judged = sets.filter_map(|subject| {
            let verdict = subject.judge(engine::repair, amiss)?;
            // What is written into a patch would be written over every set that it is laid over.
            (!subject.is_patch()).then_some((subject, verdict))
        });
        let mut judged: Vec<_> = judged.collect();
        let edited = write(text, &mut judged, amiss);
        Self {
            text,
            edited,
            judged,
        }
    }

    fn is_changed(&self) -> bool {
        self.edited != self.text.text
    }

    /// Writes the file, if anything is to change in it.
    fn store(&self) -> Result<()> {
        if !self.is_changed() {
            return Ok(());
        }
        let file = &*self.text.file;
        replace(Path::new(file), &self.edited).with_context(|| format!("cannot write {file}"))
    }

    /// Shows what would change.
    fn show(&self) -> Result<()> {
        if !self.is_changed() {
            return Ok(());
        }
        let (file, text) = (&*self.text.file, &*self.text.text);
        let diff = Diff::of((file, text), (file, &self.edited));
        diff.write(&mut anstream::stdout().lock(), "")?;
        Ok(())
    }

    /// What a cluster would still say of the repaired sets.
    fn judge_what_is_left(&self, left: &mut Report) {
        for (subject, verdict) in &self.judged {
            let repaired = verdict.patched.as_ref().unwrap_or(&subject.set.value);
            if let Ok(verdict) = subject.of(repaired, engine::admit) {
                subject.report(verdict, left);
            }
        }
        left.findings
            .retain(|finding| finding.judged.outcome.is_shown());
    }

    /// Says on stderr what was done to the sets, and how much that is.
    fn say(self) -> Result<usize> {
        let (mut stderr, mut report) = (anstream::stderr().lock(), Report::default());
        for (subject, verdict) in self.judged {
            subject.report(verdict, &mut report);
        }
        for finding in &report.findings {
            report::human::finding(&mut stderr, finding)?;
        }
        for restored in &report.restored {
            report::human::done(&mut stderr, restored)?;
        }
        Ok(report.findings.len() + report.restored.len())
    }
}

/// Writes a text beside the file and puts it in its place, so that no half of it is ever all there is. It keeps owner and mode; what
/// a link leads to is replaced, and not the link.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = file.canonicalize()?;
    let may_be_written = OpenOptions::new().write(true).open(&file)?;
    let metadata = may_be_written.metadata()?;
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let mut beside = NamedTempFile::new_in(folder)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().set_permissions(metadata.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        fchown(beside.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
    }
    beside.as_file().sync_all()?;
    beside.persist(&file)?;
    Ok(())
}

/// Writes all repairs into the text at once; where that cannot be, one after the other, and leaves out the sets for which it
/// cannot.
fn write(text: &Text, judged: &mut Vec<(Subject<'_>, Verdict)>, amiss: &mut Amiss) -> String {
    let edit = |(subject, verdict): &(Subject<'_>, Verdict)| Edit {
        document: subject.set.document,
        pointer: subject.set.pointer.clone(),
        patch: verdict.patch.clone(),
    };
    let has_patch = |(_, verdict): &&(Subject<'_>, Verdict)| !verdict.patch.is_empty();
    let edits: Vec<_> = judged.iter().filter(has_patch).map(edit).collect();
    if edits.is_empty() {
        return text.text.clone();
    }
    if let Ok(edited) = yaml::edit(&text.file, &text.text, &edits) {
        return edited;
    }
    let mut edited = text.text.clone();
    judged.retain(|one| match yaml::edit(&text.file, &edited, &[edit(one)]) {
        Ok(more) => {
            edited = more;
            true
        }
        Err(error) => {
            let pointer = match &error {
                EditError::NotInPlace { pointer } => pointer,
                EditError::Unreadable(_) => "",
            };
            let message = format!("is not repaired: it {error}");
            amiss.fail(anyhow!(one.0.said(pointer, &message)));
            false
        }
    });
    edited
}
