//! `steadfast fix`: manifests that say themselves what a cluster would inject, and what only a manifest can repair.

use std::fs::OpenOptions;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;

use super::Outcome;
use super::given::{Amiss, Given, GivenArgs, Subject};
use super::input::Text;
use crate::admission;
use crate::engine::{self, Verdict};
use crate::object::yaml::{self, Edit, Place};
use crate::report::diff::Diff;

/// Write into manifests what a cluster would inject, and what only a manifest can repair.
///
/// One manifest comes out repaired on stdout; of several, what would change. What was done is told on stderr.
#[derive(Args, Debug)]
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

/// What became of a text.
struct Repaired<'g> {
    text: &'g Text,
    edited: String,
}

/// What the repaired sets still have.
#[derive(Default)]
struct Left {
    denied: usize,
    warned: usize,
    previewed: usize,
}

impl Fix {
    pub(super) fn run(self) -> Result<Outcome> {
        if self.write && self.given.paths.iter().any(|path| path.as_os_str() == "-") {
            bail!("--write: stdin is no file; without it the repaired manifest goes to stdout");
        }
        let (given, mut amiss) = self.given.read()?;
        let mut left = Left::default();
        let repaired: Vec<_> = given
            .texts
            .iter()
            .map(|text| repair(&given, text, &mut left, &mut amiss))
            .collect::<Result<_>>()?;
        let changed = repaired.iter().any(Repaired::is_changed);
        match &repaired[..] {
            all if self.write => all.iter().try_for_each(Repaired::store)?,
            // Not through what takes colours out of a text.
            [only] if !self.diff => io::stdout().write_all(only.edited.as_bytes())?,
            all => all.iter().try_for_each(Repaired::show)?,
        }
        left.say()?;
        amiss.say()?;
        Ok(if left.denied > 0 || self.diff && changed {
            Outcome::Findings
        } else {
            Outcome::Clean
        })
    }
}

/// Repairs the sets of a text, one after the other.
fn repair<'g>(
    given: &'g Given,
    text: &'g Text,
    left: &mut Left,
    amiss: &mut Amiss,
) -> Result<Repaired<'g>> {
    let judged = given.sets(text).filter_map(|subject| {
        let verdict = subject.judge(admission::repair, amiss)?;
        Some((subject, verdict))
    });
    let mut judged: Vec<_> = judged.collect();
    let edited = write(text, &mut judged, amiss);
    for (subject, verdict) in &judged {
        say(*subject, verdict)?;
        let repaired = verdict.patched.as_ref().unwrap_or(&subject.set.value);
        if let Ok(verdict) = subject.of(repaired, admission::admit) {
            left.count(&verdict);
        }
    }
    Ok(Repaired { text, edited })
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
            let message = format!("is not repaired: it {error}");
            amiss.fail(anyhow!(one.0.said("", &message)));
            false
        }
    });
    edited
}

/// Says what was done to a set.
fn say(subject: Subject<'_>, verdict: &Verdict) -> Result<()> {
    let mut stderr = anstream::stderr().lock();
    let (bold, good) = (Style::new().bold(), AnsiColor::Green.on_default().bold());
    let Subject { set, namespace, .. } = subject;
    let (file, name) = (&set.file, set.name());
    let restored = verdict.restored.iter().map(|restored| {
        let word = "restored".to_owned();
        (&restored.at, word, restored.message.clone())
    });
    let repaired = verdict.judged.iter().map(|judged| {
        let word = format!("repaired{good:#} {bold}{}{bold:#}", judged.rule);
        (&judged.finding.at, word, judged.sentence())
    });
    for (at, word, sentence) in restored.chain(repaired) {
        let Place { line, column } = set.place(at.pointer().as_str());
        writeln!(
            stderr,
            "{bold}{file}:{line}:{column}{bold:#}: {good}{word}{good:#} ({namespace}/{name}): {sentence}"
        )?;
    }
    Ok(())
}

impl Repaired<'_> {
    fn is_changed(&self) -> bool {
        self.edited != self.text.text
    }

    /// Writes the file, if anything is to change in it.
    fn store(&self) -> Result<()> {
        if !self.is_changed() {
            return Ok(());
        }
        let file = &*self.text.file;
        let mut open = OpenOptions::new();
        let opened = open.write(true).truncate(true).open(file);
        let written = opened.and_then(|mut opened| opened.write_all(self.edited.as_bytes()));
        written.with_context(|| format!("cannot write {file}"))
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
}

impl Left {
    fn count(&mut self, verdict: &Verdict) {
        for judged in &verdict.judged {
            match judged.outcome {
                engine::Outcome::Denied => self.denied += 1,
                engine::Outcome::Warned => self.warned += 1,
                engine::Outcome::Previewed => self.previewed += 1,
                _ => {}
            }
        }
    }

    /// Says how much is left, where anything is.
    fn say(&self) -> Result<()> {
        let counts = [
            (self.denied, "denied"),
            (self.warned, "warned"),
            (self.previewed, "previewed"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if !counts.is_empty() {
            let mut stderr = anstream::stderr().lock();
            writeln!(
                stderr,
                "note: a cluster would still say: {}; `steadfast check` tells it",
                counts.join(", ")
            )?;
        }
        Ok(())
    }
}
