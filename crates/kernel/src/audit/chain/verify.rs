//! Checking files of a log against the chain.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead};

use super::lines::{self, Line, Linked};
use super::link::{ChainId, ChainKey, Head, Link, Mark, Place};
use super::report::{ChainReport, Problem, ProblemKind, Report};

/// How many lines back a line may say that it follows: what a device can write before the head is stored once.
const RECENT_LINES_MAX: usize = 65_536;
/// How many chains one log may hold; others in it are problems.
const CHAINS_MAX: usize = 64;

/// Checks the files of one log, oldest first, in one pass and with memory that does not grow with them.
#[derive(Debug, Default)]
pub struct Verifier {
    keys: BTreeMap<ChainId, ChainKey>,
    heads: Vec<Wanted>,
    starts: BTreeMap<ChainId, Mark>,
    from_the_beginning: bool,
    chains: BTreeMap<ChainId, Seen>,
    loose: Loose,
    here: Here,
    report: Report,
}

/// Where a file begins, to put several into order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beginning {
    /// With a line that has no link.
    Unlinked,
    /// With this line.
    Linked(Place),
    /// It is empty.
    Empty,
}

/// A head that must be there.
#[derive(Debug)]
struct Wanted {
    head: Head,
    seen: bool,
}

/// What was seen of one chain.
#[derive(Debug)]
struct Seen {
    last: Mark,
    /// The last lines, each with how many were lost up to it.
    recent: VecDeque<(Mark, u64)>,
    /// The last line was found altered; the next one need not say so again.
    altered: bool,
    first: Place,
    lines: u64,
    runs: u64,
    lost: u64,
}

/// Lines without a link since the last one that has one.
#[derive(Debug, Default)]
struct Loose {
    count: u64,
    file: String,
    line: u64,
    /// The last of them has no line break.
    unended: bool,
}

#[derive(Debug, Default)]
struct Here {
    file: String,
    line: u64,
}

/// What is wrong with a line's place.
type Verdict = Result<(), (ProblemKind, String)>;

impl Verifier {
    /// Knows nothing: finds what does not fit together.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the code of each line of the chain that this key belongs to. Lines of chains whose key is not given are then
    /// problems.
    pub fn key(&mut self, key: ChainKey) {
        self.keys.insert(key.chain(), key);
    }

    /// Wants this line to be there: what was the last one when somebody looked.
    pub fn head(&mut self, head: Head) {
        self.heads.push(Wanted { head, seen: false });
    }

    /// Takes all up to this line for checked: the files begin after it, or hold it.
    pub fn after(&mut self, head: Head) {
        self.starts.insert(head.chain, head.mark);
    }

    /// Wants the files to begin with the first line that the device wrote.
    pub fn from_the_beginning(&mut self) {
        self.from_the_beginning = true;
    }

    /// Checks the next file. `read` is told how many bytes were read.
    ///
    /// # Errors
    /// It can not be read.
    pub fn file(
        &mut self,
        name: &str,
        from: &mut impl BufRead,
        mut read: impl FnMut(u64),
    ) -> io::Result<()> {
        self.here = Here {
            file: name.to_owned(),
            line: 0,
        };
        while let Some(line) = lines::next(from)? {
            self.here.line += 1;
            self.report.lines += 1;
            self.line(&line);
            read(line.bytes + u64::from(line.ended));
        }
        Ok(())
    }

    /// Where a file begins.
    ///
    /// # Errors
    /// It can not be read.
    pub fn beginning(from: &mut impl BufRead) -> io::Result<Beginning> {
        Ok(match lines::next(from)? {
            None => Beginning::Empty,
            Some(line) => match line.linked {
                None => Beginning::Unlinked,
                Some(linked) => Beginning::Linked(linked.link.place),
            },
        })
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.end();
        for (id, seen) in &self.chains {
            let head = Head {
                chain: *id,
                mark: seen.last,
            };
            self.report.chains.push(ChainReport {
                id: id.to_string(),
                lines: seen.lines,
                runs: seen.runs,
                lost: seen.lost,
                first: seen.first,
                last: seen.last.place,
                head: head.to_string(),
                proved: self.keys.contains_key(id),
            });
        }
        self.report.intact = self.report.problems_total == 0;
        self.report
    }

    fn line(&mut self, line: &Line) {
        let Some(linked) = &line.linked else {
            if self.loose.count == 0 {
                self.loose.file.clone_from(&self.here.file);
                self.loose.line = self.here.line;
            }
            self.loose.count += 1;
            self.loose.unended = !line.ended;
            return;
        };
        self.report.linked += 1;
        let id = linked.link.chain;
        if !self.chains.contains_key(&id) && self.chains.len() >= CHAINS_MAX {
            let text =
                format!("belongs to yet another chain ({id}); one log holds at most {CHAINS_MAX}");
            return self.say(ProblemKind::Foreign, text);
        }
        self.broken_before(&linked.link);
        let forged = self.forged(linked);
        let mark = Mark {
            place: linked.link.place,
            hash: linked.hash,
        };
        match self.chains.remove(&id) {
            None => self.begin(linked, mark, forged),
            Some(mut seen) => {
                let verdict = seen.follow(&linked.link, mark, &mut self.report);
                seen.altered = forged;
                self.chains.insert(id, seen);
                self.judge(verdict);
            }
        }
        self.look_for_heads(id, mark);
    }

    /// The lines without a link before this one: as many as it says are torn, or those from before there was a chain.
    fn broken_before(&mut self, link: &Link) {
        let loose = std::mem::take(&mut self.loose);
        let surplus = loose.count.saturating_sub(link.torn);
        let broken = loose.count.min(link.torn);
        if broken > 0 {
            self.report.note(format!(
                "{}, line {}: {} in front of it broke off in a crash or on a full disk; the device says so itself",
                self.here.file,
                self.here.line,
                plural(broken, "line", "lines"),
            ));
        }
        if surplus == 0 {
            return;
        }
        let here = std::mem::replace(
            &mut self.here,
            Here {
                file: loose.file,
                line: loose.line,
            },
        );
        let lines = plural(surplus, "line has", "lines have");
        if self.chains.is_empty() && link.is_origin() && !link.first {
            self.report.note(format!(
                "{}: {lines} no link, from before the chain begins; nothing is known about them",
                self.here.file
            ));
        } else {
            self.say(
                ProblemKind::Foreign,
                format!("{lines} no link: altered, or not written by the device"),
            );
        }
        self.here = here;
    }

    /// Whether the code of a line is wrong.
    fn forged(&mut self, linked: &Linked) -> bool {
        let id = linked.link.chain;
        match self.keys.get(&id) {
            None if self.keys.is_empty() => false,
            None => {
                if !self.chains.contains_key(&id) {
                    self.say(
                        ProblemKind::Unproved,
                        format!("belongs to the chain {id}, whose key was not given; give it, too"),
                    );
                }
                false
            }
            Some(key) if key.code(&linked.before) == linked.mac => false,
            Some(_) => {
                self.say(
                    ProblemKind::Altered,
                    "is not as the device wrote it: its code does not fit".to_owned(),
                );
                true
            }
        }
    }

    /// The first line of a chain in these files.
    fn begin(&mut self, linked: &Linked, mark: Mark, forged: bool) {
        let link = &linked.link;
        let mut seen = Seen::new(mark, forged);
        seen.lost = link.lost;
        let verdict = match self.starts.remove(&link.chain) {
            // The files begin earlier than what was checked before: then it must be among them.
            Some(start) if link.place <= start.place => {
                self.head(Head {
                    chain: link.chain,
                    mark: start,
                });
                self.begins(link)
            }
            Some(start) => {
                seen = Seen::new(start, false);
                seen.lines = 0;
                seen.first = mark.place;
                let verdict = seen.follow(link, mark, &mut self.report);
                seen.altered = forged;
                verdict
            }
            None => self.begins(link),
        };
        self.chains.insert(link.chain, seen);
        self.judge(verdict);
    }

    fn begins(&mut self, link: &Link) -> Verdict {
        if link.is_origin() {
            return within(link.place.seq.saturating_sub(1), link);
        }
        let before = match link.after {
            Some(after) => format!("follows line {after}"),
            None => format!("is line {} of its run", link.place.seq),
        };
        if !link.first {
            let text = format!(
                "{before}, which is missing in front of it: the beginning of the file was cut off"
            );
            return Err((ProblemKind::Missing, text));
        }
        if self.from_the_beginning {
            let text = format!("{before}: the files from before are missing");
            return Err((ProblemKind::Missing, text));
        }
        self.report.note(format!(
            "{}: begins in the middle of the chain, as a file does after a rotation; what was before is in older files",
            self.here.file
        ));
        Ok(())
    }

    fn look_for_heads(&mut self, chain: ChainId, mark: Mark) {
        let mut differs = None;
        for wanted in &mut self.heads {
            let head = wanted.head;
            if head.chain != chain || head.mark.place != mark.place {
                continue;
            }
            if head.mark.hash != mark.hash && !wanted.seen {
                differs = Some(head.mark.place);
            }
            wanted.seen = true;
        }
        if let Some(place) = differs {
            let text = format!("is line {place}, and not what the known head says is there");
            self.say(ProblemKind::Head, text);
        }
    }

    /// All files were read.
    fn end(&mut self) {
        let loose = std::mem::take(&mut self.loose);
        if loose.count > 0 {
            self.here = Here {
                file: loose.file,
                line: loose.line,
            };
            match (loose.count, loose.unended, self.report.linked) {
                (1, true, 1..) => self.report.note(format!(
                    "{}, line {}: is not complete: it is being written, or was when the server was killed",
                    self.here.file, self.here.line
                )),
                (count, _, _) => {
                    let lines = plural(count, "line has", "lines have");
                    let text = format!("{lines} no link: altered, or not written by a device with a chain");
                    self.say(ProblemKind::Foreign, text);
                }
            }
        }
        for wanted in std::mem::take(&mut self.heads) {
            if wanted.seen {
                continue;
            }
            let Head { chain, mark } = wanted.head;
            let text = match self.chains.get(&chain) {
                Some(seen) if seen.last.place < mark.place => format!(
                    "the log ends with line {} of chain {chain}, but line {} was written: the end was cut off",
                    seen.last.place, mark.place
                ),
                Some(_) => format!(
                    "line {} of chain {chain}, the known head, is not there",
                    mark.place
                ),
                None => format!(
                    "no line of chain {chain} is there, but line {} was written",
                    mark.place
                ),
            };
            self.here.line = 0;
            self.say(ProblemKind::Head, text);
        }
    }

    fn judge(&mut self, verdict: Verdict) {
        if let Err((kind, text)) = verdict {
            self.say(kind, text);
        }
    }

    fn say(&mut self, kind: ProblemKind, text: String) {
        let (file, line) = (self.here.file.clone(), self.here.line);
        self.report.problem(Problem {
            file,
            line,
            kind,
            text,
        });
    }
}

impl Seen {
    fn new(mark: Mark, altered: bool) -> Self {
        Self {
            last: mark,
            recent: VecDeque::from([(mark, 0)]),
            altered,
            first: mark.place,
            lines: 1,
            runs: 1,
            lost: 0,
        }
    }

    /// Whether a line stands where it was written.
    fn follow(&mut self, link: &Link, mark: Mark, report: &mut Report) -> Verdict {
        let last = self.last;
        let verdict = if link.place.run < last.place.run {
            self.late(link, report)
        } else if link.after.is_some() || link.place.run > last.place.run {
            self.run_begins(link, report)
        } else {
            self.goes_on(link)
        };
        self.lines += 1;
        // A line that was given up and came after all has told of what was lost before it, too.
        let followed = self.before(|mark| mark.hash == link.prev);
        let lost = followed.map_or(self.lost, |(_, lost)| *lost);
        self.lost = lost.saturating_add(link.lost);
        if link.place > last.place {
            self.runs += u64::from(link.place.run > last.place.run);
            self.last = mark;
        }
        if self.recent.len() >= RECENT_LINES_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((mark, self.lost));
        verdict
    }

    /// The last of the recent lines that is so.
    fn before(&self, is_so: impl Fn(&Mark) -> bool) -> Option<&(Mark, u64)> {
        self.recent.iter().rev().find(|(mark, _)| is_so(mark))
    }

    /// A further line of the run.
    fn goes_on(&self, link: &Link) -> Verdict {
        let last = self.last;
        if link.place.seq <= last.place.seq {
            let text = format!(
                "is line {} and stands behind line {}",
                link.place, last.place
            );
            return Err((ProblemKind::Order, text));
        }
        let skipped = link.place.seq - last.place.seq - 1;
        if link.prev == last.hash && skipped <= link.lost {
            return Ok(());
        }
        // What was tried before may have arrived all the same, and then the line follows an earlier one.
        let earlier = self.before(|mark| mark.hash == link.prev);
        let lost_since = |(mark, _): &(Mark, u64)| {
            let skipped = link
                .place
                .seq
                .saturating_sub(mark.place.seq.saturating_add(1));
            mark.place.run == link.place.run && skipped <= link.lost
        };
        if earlier.is_some_and(lost_since) {
            return Ok(());
        }
        if skipped > link.lost {
            return Err((
                ProblemKind::Missing,
                missing(last.place.seq + 1, link.place.seq - 1, link),
            ));
        }
        self.altered_before()
    }

    /// The first line of a run names the line it follows: the last one, unless the end of the run before was not noted.
    fn run_begins(&self, link: &Link, report: &mut Report) -> Verdict {
        let Some(after) = link.after else {
            let text = format!(
                "begins a run and names no line before it, although line {} was written",
                self.last.place
            );
            return Err((ProblemKind::Missing, text));
        };
        if link.place.run > self.last.place.run {
            within(link.place.seq.saturating_sub(1), link)?;
        }
        if after > self.last.place {
            let text = format!(
                "follows line {after}, but the line in front of it is {}: lines in between are missing",
                self.last.place
            );
            return Err((ProblemKind::Missing, text));
        }
        let Some(back) = self
            .recent
            .iter()
            .rev()
            .position(|(mark, _)| mark.place == after)
        else {
            let text = format!("follows line {after}, which is not there");
            return Err((ProblemKind::Missing, text));
        };
        let follows = self.recent.iter().rev().nth(back);
        if follows.is_none_or(|(mark, _)| mark.hash != link.prev) {
            return match back {
                0 => self.altered_before(),
                _ => Err((
                    ProblemKind::Altered,
                    format!("follows another line {after} than the one that is there"),
                )),
            };
        }
        if back > 0 {
            report.note(format!(
                "{} before line {} had not been noted when the server was killed; whether there were more can not be told",
                plural(back as u64, "line", "lines"),
                link.place
            ));
        }
        Ok(())
    }

    /// A line of an earlier run, written by a request that was still under way when the next run began.
    fn late(&self, link: &Link, report: &mut Report) -> Verdict {
        let run = link.place.run;
        let before = self.before(|mark| mark.place.run == run);
        let fits = before.is_some_and(|(mark, _)| {
            mark.hash == link.prev
                && link.place.seq > mark.place.seq
                && link.place.seq - mark.place.seq - 1 <= link.lost
        });
        if fits {
            report.note(format!(
                "line {} was written after the next run had begun",
                link.place
            ));
            return Ok(());
        }
        let text = format!(
            "is line {} and stands behind line {}",
            link.place, self.last.place
        );
        Err((ProblemKind::Order, text))
    }

    fn altered_before(&self) -> Verdict {
        if self.altered {
            return Ok(());
        }
        let text = format!(
            "does not fit to line {} in front of it, which is not as it was written",
            self.last.place
        );
        Err((ProblemKind::Altered, text))
    }
}

impl Link {
    /// Whether nothing comes before it.
    fn is_origin(&self) -> bool {
        self.after.is_none() && self.prev == [0; 32]
    }
}

/// Lines may be missing if the device says that it could not record so many.
fn within(skipped: u64, link: &Link) -> Verdict {
    if skipped <= link.lost {
        return Ok(());
    }
    Err((ProblemKind::Missing, missing(1, link.place.seq - 1, link)))
}

fn missing(from: u64, to: u64, link: &Link) -> String {
    let run = link.place.run;
    if from == to {
        format!(
            "is line {}, but line {run}:{from} is missing in front of it",
            link.place
        )
    } else {
        format!(
            "is line {}, but lines {run}:{from} to {run}:{to} are missing in front of it",
            link.place
        )
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
