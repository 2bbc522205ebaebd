//! What a check of a log finds, and what it must not find.

use coffer_crypto::WipingBuffer;
use coffer_wire::Timestamp;
use proptest::prelude::*;

use crate::audit::chain::{Chain, ChainKey, Ending, Head, Mark, ProblemKind, Report, Verifier};

const ID: &str = "0000002a-0000-4000-8000-000000000000";

fn key(number: u8) -> ChainKey {
    ChainKey::derive(ID, &[number; 32])
}

/// A device that writes to memory, one line a batch.
struct Writing {
    chain: Chain,
    text: Vec<u8>,
    secs: u64,
}

impl Writing {
    fn new() -> Self {
        let mut chain = Chain::new(key(1), None);
        chain.opened(&empty());
        Self {
            chain,
            text: Vec::new(),
            secs: 7,
        }
    }

    fn write(&mut self, body: &str) -> Mark {
        let (mark, line) = self.link(body);
        self.text.extend(line);
        self.chain.tried(&[mark], 1, false);
        mark
    }

    fn lines(&mut self, count: usize) {
        for number in 0..count {
            self.write(&format!("line {number}"));
        }
    }

    /// A line whose fate the caller decides.
    fn link(&mut self, body: &str) -> (Mark, Vec<u8>) {
        let mut out = WipingBuffer::new();
        let line = format!("{{\"b\":\"{body}\"}}\n");
        let mark = self
            .chain
            .link(line.as_bytes(), Timestamp::from_secs(self.secs), &mut out);
        (mark, out.as_slice().to_vec())
    }

    /// Another run, which knows `last`, and opens a file with this ending.
    fn restart(&mut self, last: Option<Mark>, ending: &Ending) -> bool {
        self.secs += 1;
        self.chain = Chain::new(key(1), last);
        self.chain.opened(ending)
    }

    fn head(&self) -> Head {
        self.chain.head().unwrap()
    }

    /// What is written so far, as a file of its own; the next line begins another.
    fn rotate(&mut self) -> Vec<u8> {
        self.chain.opened(&empty());
        std::mem::take(&mut self.text)
    }
}

fn empty() -> Ending {
    Ending {
        empty: true,
        ..Ending::default()
    }
}

fn ends_with(last: Mark, torn: bool) -> Ending {
    Ending {
        empty: false,
        torn,
        last: Some(last),
    }
}

fn log(lines: usize) -> (Vec<u8>, Head) {
    let mut writing = Writing::new();
    writing.lines(lines);
    let head = writing.head();
    (writing.text, head)
}

fn check(files: &[&[u8]], prepare: impl FnOnce(&mut Verifier)) -> Report {
    let mut verifier = Verifier::new();
    prepare(&mut verifier);
    for (number, file) in files.iter().enumerate() {
        let mut read = 0;
        let name = format!("file{number}");
        verifier
            .file(&name, &mut &**file, |bytes| read += bytes)
            .unwrap();
        assert_eq!(read, file.len() as u64);
    }
    verifier.finish()
}

fn with_key(files: &[&[u8]]) -> Report {
    check(files, |verifier| verifier.key(key(1)))
}

fn plain(files: &[&[u8]]) -> Report {
    check(files, |_| {})
}

fn intact(report: &Report) {
    assert!(report.intact, "{:#?}", report.problems);
    assert!(report.problems.is_empty());
}

fn kinds(report: &Report) -> Vec<(u64, ProblemKind)> {
    let problems = report.problems.iter();
    problems
        .map(|problem| (problem.line, problem.kind))
        .collect()
}

/// The lines of a log, each with its line break.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

#[test]
fn what_was_written_is_intact() {
    let (text, head) = log(20);
    for report in [
        plain(&[&text]),
        with_key(&[&text]),
        check(&[&text], |verifier| {
            verifier.head(head);
            verifier.from_the_beginning();
        }),
    ] {
        intact(&report);
        assert!(report.notes.is_empty(), "{:?}", report.notes);
        assert_eq!((report.lines, report.linked), (20, 20));
        assert_eq!(report.chains[0].head, head.to_string());
    }
    intact(&plain(&[b""]));
}

#[test]
fn an_edit_is_found_with_and_without_the_key() {
    let (text, _) = log(9);
    let edited = String::from_utf8(text).unwrap().replace("line 4", "line X");
    assert_eq!(
        kinds(&with_key(&[edited.as_bytes()])),
        [(5, ProblemKind::Altered)]
    );
    // Without it, the next line tells.
    assert_eq!(
        kinds(&plain(&[edited.as_bytes()])),
        [(6, ProblemKind::Altered)]
    );
}

#[test]
fn the_last_line_is_proved_by_key_or_head() {
    let (text, head) = log(3);
    let edited = String::from_utf8(text).unwrap().replace("line 2", "line X");
    let edited = edited.as_bytes();
    intact(&plain(&[edited]));
    assert_eq!(kinds(&with_key(&[edited])), [(3, ProblemKind::Altered)]);
    let report = check(&[edited], |verifier| verifier.head(head));
    assert_eq!(kinds(&report), [(3, ProblemKind::Head)]);
}

#[test]
fn deletions_insertions_and_exchanges_are_found() {
    let (text, head) = log(8);
    let lines = split(&text);
    let of = |order: &[usize]| {
        order
            .iter()
            .flat_map(|at| lines[*at].clone())
            .collect::<Vec<u8>>()
    };
    for (order, expected) in [
        (&[0, 1, 3, 4, 5, 6, 7][..], vec![(3, ProblemKind::Missing)]),
        (&[0, 1, 6, 7], vec![(3, ProblemKind::Missing)]),
        (&[1, 2, 3, 4, 5, 6, 7], vec![(1, ProblemKind::Missing)]),
        (
            &[0, 1, 3, 2, 4, 5, 6, 7],
            vec![(3, ProblemKind::Missing), (4, ProblemKind::Order)],
        ),
        (&[0, 1, 2, 3, 4, 5, 6, 7, 3], vec![(9, ProblemKind::Order)]),
        (&[0, 1, 1, 2, 3, 4, 5, 6, 7], vec![(3, ProblemKind::Order)]),
    ] {
        for report in [plain(&[&of(order)]), with_key(&[&of(order)])] {
            assert_eq!(kinds(&report), expected, "{order:?} {:#?}", report.problems);
        }
    }
    let mut inserted = of(&[0, 1]);
    inserted.extend(b"{\"time\":\"now\"}\n");
    inserted.extend(of(&[2, 3]));
    assert_eq!(kinds(&plain(&[&inserted])), [(3, ProblemKind::Foreign)]);
    let cut = of(&[0, 1, 2, 3, 4]);
    intact(&with_key(&[&cut]));
    let report = check(&[&cut], |verifier| verifier.head(head));
    assert_eq!(kinds(&report), [(0, ProblemKind::Head)]);
    assert!(report.problems[0].text.contains("the end was cut off"));
    let nothing = check(&[b""], |verifier| verifier.head(head));
    assert_eq!(kinds(&nothing), [(0, ProblemKind::Head)]);
}

#[test]
fn a_chain_that_was_made_anew_does_not_pass_key_or_head() {
    let (text, head) = log(5);
    let mut forger = Writing::new();
    forger.chain = Chain::new(key(9), None);
    forger.chain.opened(&empty());
    forger.lines(5);
    assert_ne!(forger.text, text);
    intact(&plain(&[&forger.text]));
    assert_eq!(with_key(&[&forger.text]).problems_total, 5);
    let report = check(&[&forger.text], |verifier| verifier.head(head));
    assert_eq!(kinds(&report), [(5, ProblemKind::Head)]);
    let other = ChainKey::derive("11111111-0000-4000-8000-000000000000", &[1; 32]);
    let report = check(&[&text], |verifier| verifier.key(other));
    assert_eq!(kinds(&report), [(1, ProblemKind::Unproved)]);
}

#[test]
fn lines_without_links_pass_only_before_the_chain() {
    let (text, _) = log(2);
    let mut old = b"{\"old\":1}\n{\"old\":2}\n".to_vec();
    let mut writing = Writing::new();
    writing.restart(None, &Ending::default());
    writing.lines(2);
    old.extend(&writing.text);
    let report = plain(&[&old]);
    intact(&report);
    assert!(
        report.notes[0].contains("2 lines have no link"),
        "{:?}",
        report.notes
    );
    let mut after = text.clone();
    after.extend(b"{\"new\":1}\n");
    assert_eq!(kinds(&plain(&[&after])), [(3, ProblemKind::Foreign)]);
    let unlinked = plain(&[b"{\"a\":1}\n{\"a\":2}\n"]);
    assert_eq!(kinds(&unlinked), [(1, ProblemKind::Foreign)]);
}

#[test]
fn files_that_were_rotated_follow_each_other() {
    let mut writing = Writing::new();
    writing.lines(3);
    let oldest = writing.rotate();
    writing.lines(3);
    let older = writing.rotate();
    let head = writing.head();
    let files: [&[u8]; 3] = [&oldest, &older, &writing.text];
    intact(&with_key(&files));
    let report = check(&files[1..], |verifier| verifier.head(head));
    intact(&report);
    assert!(
        report.notes[0].contains("older files"),
        "{:?}",
        report.notes
    );
    let report = check(&files[1..], Verifier::from_the_beginning);
    assert_eq!(kinds(&report), [(1, ProblemKind::Missing)]);
    // A file without its first line is no file that begins so.
    let cut: Vec<u8> = split(&older)[1..].concat();
    assert_eq!(kinds(&with_key(&[&cut])), [(1, ProblemKind::Missing)]);
    // The end of a file that is followed by another is not missed silently.
    let short: Vec<u8> = split(&oldest)[..2].concat();
    assert_eq!(
        kinds(&plain(&[&short, &older])),
        [(1, ProblemKind::Missing)]
    );
}

#[test]
fn a_check_goes_on_where_the_last_one_ended() {
    let mut writing = Writing::new();
    writing.lines(4);
    let until = writing.head();
    let before = writing.rotate();
    writing.lines(4);
    let go_on = |files: &[&[u8]]| check(files, |verifier| verifier.after(until));
    intact(&go_on(&[&writing.text]));
    intact(&go_on(&[&before, &writing.text]));
    let cut: Vec<u8> = split(&writing.text)[1..].concat();
    assert_eq!(kinds(&go_on(&[&cut])), [(1, ProblemKind::Missing)]);
    let edited = String::from_utf8(before)
        .unwrap()
        .replace("line 3", "line X");
    assert!(!go_on(&[edited.as_bytes(), &writing.text]).intact);
}

#[test]
fn restarts_and_crashes_are_no_tampering() {
    let mut writing = Writing::new();
    writing.lines(3);
    let noted = writing.head().mark;
    writing.lines(2);
    let last = writing.head().mark;
    // Killed: the file holds more than what was noted, and a part of a line.
    writing.text.extend(b"{\"b\":\"brok");
    assert!(writing.restart(Some(noted), &ends_with(last, true)));
    writing.text.push(b'\n');
    writing.lines(2);
    let report = with_key(&[&writing.text]);
    intact(&report);
    assert!(report.notes[0].contains("broke off"), "{:?}", report.notes);
    assert_eq!(report.chains[0].runs, 2);
    // Rotated while it was down: the next run knows what was noted, and no more.
    let before = writing.rotate();
    assert!(writing.restart(Some(noted), &empty()));
    writing.lines(2);
    let report = with_key(&[&before, &writing.text]);
    intact(&report);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("had not been noted")),
        "{:?}",
        report.notes
    );
}

#[test]
fn what_was_cut_off_while_the_server_was_down_is_missed_for_ever() {
    let mut writing = Writing::new();
    writing.lines(5);
    let noted = writing.head().mark;
    let lines = split(&writing.text);
    writing.text = lines[..3].concat();
    let short = with_key(&[&writing.text]).chains[0]
        .head
        .parse::<Head>()
        .unwrap();
    assert!(!writing.restart(Some(noted), &ends_with(short.mark, false)));
    writing.lines(2);
    assert_eq!(
        kinds(&with_key(&[&writing.text])),
        [(4, ProblemKind::Missing)]
    );
    // The same if all of it is gone.
    let mut empty_file = Writing::new();
    assert!(empty_file.restart(Some(noted), &empty()));
    empty_file.lines(1);
    let report = check(&[&empty_file.text], Verifier::from_the_beginning);
    assert_eq!(kinds(&report), [(1, ProblemKind::Missing)]);
}

#[test]
fn lines_that_a_device_could_not_record_are_told_and_not_missed() {
    let mut writing = Writing::new();
    writing.lines(2);
    // Never arrived; arrived although it was given up; given up without being tried; torn by a full disk.
    let (gone, _) = writing.link("gone");
    writing.chain.tried(&[gone], 0, false);
    let (doubtful, line) = writing.link("doubtful");
    writing.text.extend(line);
    writing.chain.tried(&[doubtful], 0, false);
    writing.chain.lose(5);
    let (torn, line) = writing.link("torn");
    writing.text.extend(&line[..20]);
    writing.text.push(b'\n');
    writing.chain.tried(&[torn], 0, true);
    writing.lines(2);
    for report in [plain(&[&writing.text]), with_key(&[&writing.text])] {
        intact(&report);
        assert_eq!(report.chains[0].lost, 8);
    }
    // That something is lost covers no more than that.
    let lines = split(&writing.text);
    let cut: Vec<u8> = [&lines[..1], &lines[2..]].concat().concat();
    assert!(!plain(&[&cut]).intact);
}

#[test]
fn a_batch_of_which_a_part_is_there_goes_on_from_there() {
    let mut writing = Writing::new();
    let batch: Vec<(Mark, Vec<u8>)> = (0..4).map(|_| writing.link("x")).collect();
    let marks: Vec<Mark> = batch.iter().map(|(mark, _)| *mark).collect();
    for (_, line) in &batch[..2] {
        writing.text.extend(line);
    }
    writing.text.extend(&batch[2].1[..9]);
    writing.chain.tried(&marks, 2, true);
    writing.text.push(b'\n');
    writing.lines(2);
    let report = with_key(&[&writing.text]);
    intact(&report);
    assert_eq!(report.chains[0].lost, 2);
}

#[test]
fn a_line_that_ended_after_the_next_run_began_is_told() {
    let mut writing = Writing::new();
    writing.lines(2);
    let seen = writing.head().mark;
    let mut old = std::mem::replace(&mut writing.chain, Chain::new(key(1), Some(seen)));
    writing.lines(1);
    std::mem::swap(&mut old, &mut writing.chain);
    writing.lines(1);
    std::mem::swap(&mut old, &mut writing.chain);
    writing.lines(1);
    let report = with_key(&[&writing.text]);
    intact(&report);
    assert!(
        report.notes[0].contains("after the next run"),
        "{:?}",
        report.notes
    );
}

#[test]
fn several_chains_in_one_log_are_told_apart() {
    let (one, _) = log(3);
    let mut other = Chain::new(
        ChainKey::derive("11111111-0000-4000-8000-000000000000", &[1; 32]),
        None,
    );
    let mut mixed = Vec::new();
    for line in split(&one) {
        let mut out = WipingBuffer::new();
        let mark = other.link(b"{\"o\":1}\n", Timestamp::EPOCH, &mut out);
        other.tried(&[mark], 1, false);
        mixed.extend(line);
        mixed.extend(out.as_slice());
    }
    let report = plain(&[&mixed]);
    intact(&report);
    assert_eq!(report.chains.len(), 2);
}

#[test]
fn a_line_that_is_still_being_written_is_a_note() {
    let (mut text, _) = log(2);
    text.extend(b"{\"b\":\"ha");
    let report = plain(&[&text]);
    intact(&report);
    assert!(
        report.notes[0].contains("not complete"),
        "{:?}",
        report.notes
    );
}

/// What somebody may do to a log.
#[derive(Clone, Debug)]
enum Deed {
    Edit(prop::sample::Index, u8),
    Delete(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Exchange(prop::sample::Index, prop::sample::Index),
    Insert(prop::sample::Index),
    CutHead(prop::sample::Index),
    CutTail(prop::sample::Index),
}

fn deeds() -> impl Strategy<Value = Deed> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1_u8..).prop_map(|(at, by)| Deed::Edit(at, by)),
        at().prop_map(Deed::Delete),
        (at(), at()).prop_map(|(from, to)| Deed::Repeat(from, to)),
        (at(), at()).prop_map(|(one, two)| Deed::Exchange(one, two)),
        at().prop_map(Deed::Insert),
        at().prop_map(Deed::CutHead),
        at().prop_map(Deed::CutTail),
    ]
}

fn done(text: &[u8], deed: &Deed) -> Vec<u8> {
    let mut lines = split(text);
    let count = lines.len();
    match deed {
        Deed::Edit(at, by) => {
            let mut text = text.to_vec();
            let at = at.index(text.len());
            text[at] ^= by;
            return text;
        }
        Deed::Delete(at) => {
            lines.remove(at.index(count));
        }
        Deed::Repeat(from, to) => {
            lines.insert(to.index(count + 1), lines[from.index(count)].clone())
        }
        Deed::Exchange(one, two) => lines.swap(one.index(count), two.index(count)),
        Deed::Insert(at) => lines.insert(at.index(count + 1), b"{\"a\":1}\n".to_vec()),
        Deed::CutHead(at) => {
            lines.drain(..at.index(count));
        }
        Deed::CutTail(at) => lines.truncate(at.index(count)),
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_can_be_done_to_a_log_unnoticed(count in 1_usize..9, deed in deeds()) {
        let (text, head) = log(count);
        let changed = done(&text, &deed);
        let report = check(&[&changed], |verifier| {
            verifier.key(key(1));
            verifier.head(head);
        });
        prop_assert_eq!(report.intact, changed == text, "{:?} {:#?}", deed, report.problems);
    }

    #[test]
    fn what_devices_go_through_is_intact(steps in proptest::collection::vec(0_u8..8, 1..40)) {
        let mut writing = Writing::new();
        let mut noted = None;
        let mut torn = false;
        let mut files = Vec::new();
        for step in steps {
            match step {
                0..=2 => {
                    writing.write("x");
                    torn = false;
                }
                3 => noted = writing.chain.head().map(|head| head.mark),
                4 => {
                    let (mark, _) = writing.link("lost");
                    writing.chain.tried(&[mark], 0, false);
                }
                5 => {
                    let (mark, line) = writing.link("torn");
                    writing.text.extend(&line[..line.len() / 2]);
                    writing.text.push(b'\n');
                    writing.chain.tried(&[mark], 0, true);
                    torn = true;
                }
                6 => files.push(writing.rotate()),
                // Killed, and found as it was.
                _ => {
                    if let Some(head) = writing.chain.head() {
                        let ending = match writing.text.is_empty() {
                            true => empty(),
                            false => ends_with(head.mark, false),
                        };
                        // What tore, and was not told yet, a process that is killed takes with it.
                        if !torn {
                            writing.restart(noted.or(Some(head.mark)), &ending);
                        }
                    }
                }
            }
        }
        writing.write("end");
        let mut all: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        all.push(&writing.text);
        let report = with_key(&all);
        prop_assert!(report.intact, "{:#?}\n{}", report, String::from_utf8_lossy(&all.concat()));
    }
}
