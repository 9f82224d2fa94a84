//! Access to the XML tree that forgets nothing: every element, attribute and number that is read is checked, every
//! complaint points at its place in the text, and complaints are gathered instead of stopping at the first.

use std::ops::Range;

use roxmltree::{Attribute, Document, Node, ParsingOptions};

use crate::error::{At, Complaint, Source};
use crate::{Error, Result};

/// Largest text that is parsed. A System of 100 000 atoms is about 50 MB.
pub(super) const MAX_BYTES: usize = 128 << 20;
/// Most elements and texts of a document.
const MAX_NODES: u32 = 6_000_000;
/// Most attributes of one element (the parser compares them pairwise). OpenMM writes up to 20.
const MAX_ATTRIBUTES: usize = 256;
/// Largest magnitude of a number: sums and products of parameters stay finite.
pub(super) const LARGEST: f64 = 1e30;
/// Complaints shown; the others are counted.
const MAX_COMPLAINTS: usize = 20;
/// Kinds of unsupported things told apart; OpenMM has about 60 classes.
const MAX_REFUSALS: usize = 100;

/// Parses the text, refusing at once what would cost the parser time or memory out of proportion.
pub(super) fn parse(source: &Source) -> Result<Document<'_>> {
    let text: &str = &source.text;
    if text.len() > MAX_BYTES {
        return Err(too_large(&source.name, text.len() as u64));
    }
    if let Some(at) = text.find("xmlns") {
        let remedy = "give the text that openmm.XmlSerializer.serialize(system) returns, as it is";
        return Err(Error::input_at(source, at..at + 5, "XML namespaces are not part of OpenMM's format", remedy));
    }
    if let Some(at) = crowded_element(text.as_bytes()) {
        let what = format!("an element with more than {MAX_ATTRIBUTES} attributes");
        return Err(Error::input_at(source, at..at + 1, what, "this is not a file that OpenMM wrote"));
    }
    Document::parse_with_options(text, ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() }).map_err(|e| {
        use roxmltree::Error as E;
        let at = match e {
            E::UnexpectedEndOfStream | E::UnclosedRootNode | E::NoRootNode => text.len(),
            _ => byte_offset(text, e.pos()),
        };
        let remedy = "the file is damaged or cut short; write it again with openmm.XmlSerializer.serialize(system)";
        Error::input_at(source, at..at, format!("not well-formed XML: {e}"), remedy)
    })
}

/// Refuses a text before it is read or parsed.
pub(super) fn too_large(name: &str, bytes: u64) -> Error {
    let what = format!("{name}: the XML has {} MB; at most {} MB are read", bytes >> 20, MAX_BYTES >> 20);
    Error::input(what, "this program is for molecules, not for large boxes: check that it is the right file")
}

/// Start of the first element with too many `=`.
fn crowded_element(bytes: &[u8]) -> Option<usize> {
    let (mut start, mut equals) = (0, 0);
    for (i, &b) in bytes.iter().enumerate() {
        match b {
            b'<' => (start, equals) = (i, 0),
            b'=' => equals += 1,
            _ => continue,
        }
        if equals > MAX_ATTRIBUTES {
            return Some(start);
        }
    }
    None
}

/// Byte offset of a line and column (in characters), both 1-based.
fn byte_offset(text: &str, pos: roxmltree::TextPos) -> usize {
    let mut start = 0;
    for _ in 1..pos.row {
        match text[start..].find('\n') {
            Some(i) => start += i + 1,
            None => return text.len(),
        }
    }
    text[start..].char_indices().nth((pos.col as usize).saturating_sub(1)).map_or(text.len(), |(i, _)| start + i)
}

/// A class, setting or construct that is not supported, with the number of times it occurs.
struct Refusal {
    /// "constraint", "CMAPTorsionForce": what is counted.
    thing: String,
    count: usize,
    span: Range<usize>,
    remedy: String,
}

/// Reads checked values out of the tree and gathers what is wrong.
pub(super) struct Reader<'s> {
    source: &'s Source,
    refusals: Vec<Refusal>,
    complaints: Vec<Complaint>,
    left_off: usize,
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Source) -> Self {
        Reader { source, refusals: Vec::new(), complaints: Vec::new(), left_off: 0 }
    }

    /// Notes that something is wrong; reading goes on to find the rest.
    pub(super) fn complain(&mut self, span: Range<usize>, what: impl Into<String>, remedy: impl Into<String>) {
        if self.complaints.len() < MAX_COMPLAINTS {
            let at = Some(At { source: self.source.clone(), span });
            self.complaints.push(Complaint { what: what.into(), at, remedy: remedy.into() });
        } else {
            self.left_off += 1;
        }
    }

    /// Counts one more of a thing that is not supported; the first place is shown.
    pub(super) fn refuse(&mut self, thing: &str, span: Range<usize>, remedy: &str) {
        if let Some(r) = self.refusals.iter_mut().find(|r| r.thing == thing) {
            r.count += 1;
        } else if self.refusals.len() < MAX_REFUSALS {
            self.refusals.push(Refusal { thing: thing.to_owned(), count: 1, span, remedy: remedy.to_owned() });
        } else {
            self.left_off += 1;
        }
    }

    /// The gathered refusals and complaints, or nothing.
    pub(super) fn finish(self) -> Result<()> {
        let mut all: Vec<Complaint> = Vec::new();
        for r in self.refusals {
            let what = match r.count {
                1 => format!("not supported: 1 {}", r.thing),
                n => format!("not supported: {n} {}", plural(&r.thing)),
            };
            all.push(Complaint { what, at: Some(At { source: self.source.clone(), span: r.span }), remedy: r.remedy });
        }
        all.extend(self.complaints);
        if self.left_off > 0 {
            all.push(Complaint { what: format!("and {} more", self.left_off), at: None, remedy: String::new() });
        }
        if all.is_empty() { Ok(()) } else { Err(Error::Input(all)) }
    }

    /// Checks that `node` has exactly the `required` attributes, any of the `optional` ones and no other.
    pub(super) fn attributes(&mut self, node: Node<'_, '_>, required: &[&str], optional: &[&str]) {
        for a in node.attributes() {
            let known = a.namespace().is_none() && (required.contains(&a.name()) || optional.contains(&a.name()));
            if !known {
                let what = format!("unknown attribute {:?} of <{}>", short(a.name()), node.tag_name().name());
                self.complain(
                    a.range(),
                    what,
                    "it may change the physics, so it is not ignored; this program knows what OpenMM 8.6 writes",
                );
            }
        }
        for name in required {
            if node.attribute(*name).is_none() {
                let what = format!("<{}> has no attribute {name:?}", node.tag_name().name());
                self.complain(tag(node), what, "the file is damaged, or written by a version of OpenMM that this program does not know");
            }
        }
    }

    /// Checks that the children of `node` are elements of the `allowed` names, with nothing but space between them.
    pub(super) fn children(&mut self, node: Node<'_, '_>, allowed: &[&str]) {
        for child in node.children() {
            if child.is_element() && (child.tag_name().namespace().is_some() || !allowed.contains(&child.tag_name().name())) {
                let what = format!("unknown element <{}> in <{}>", short(child.tag_name().name()), node.tag_name().name());
                self.complain(
                    tag(child),
                    what,
                    "it may change the physics, so it is not ignored; this program knows what OpenMM 8.6 writes",
                );
            } else if child.is_text() && child.text().is_some_and(|t| !t.trim().is_empty()) {
                let what = format!("text in <{}>: {:?}", node.tag_name().name(), short(child.text().unwrap_or_default().trim()));
                self.complain(child.range(), what, "the file is damaged; write it again with openmm.XmlSerializer.serialize(system)");
            }
        }
    }

    /// The only child element of that name, or none; two are a complaint.
    pub(super) fn optional_child<'a, 'i>(&mut self, node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
        let mut found = node.children().filter(|c| c.is_element() && c.tag_name().name() == name);
        let first = found.next();
        if let Some(second) = found.next() {
            let what = format!("a second <{name}> in <{}>", node.tag_name().name());
            self.complain(tag(second), what, "the file is damaged; write it again with openmm.XmlSerializer.serialize(system)");
        }
        first
    }

    /// The only child element of that name; none and two are complaints.
    pub(super) fn child<'a, 'i>(&mut self, node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
        let found = self.optional_child(node, name);
        if found.is_none() {
            let what = format!("<{}> has no <{name}>", node.tag_name().name());
            self.complain(tag(node), what, "the file is damaged; write it again with openmm.XmlSerializer.serialize(system)");
        }
        found
    }

    /// The items of a list element: all its children bear `item` as their name.
    pub(super) fn items<'a, 'i>(&mut self, list: Option<Node<'a, 'i>>, item: &str) -> Vec<Node<'a, 'i>> {
        let Some(list) = list else { return Vec::new() };
        self.attributes(list, &[], &[]);
        self.children(list, &[item]);
        list.children().filter(|c| c.is_element() && c.tag_name().name() == item).collect()
    }

    /// Checks that a list element that has no supported use is empty (or absent).
    pub(super) fn must_be_empty(&mut self, node: Node<'_, '_>, name: &str, thing: &str, remedy: &str) {
        if let Some(list) = self.optional_child(node, name) {
            for item in list.children().filter(Node::is_element) {
                self.refuse(thing, tag(item), remedy);
            }
        }
    }

    /// A finite number, or NaN after a complaint (a missing attribute was complained of by [`Reader::attributes`]).
    pub(super) fn number(&mut self, node: Node<'_, '_>, name: &str) -> f64 {
        let Some(a) = node.attribute_node(name) else { return f64::NAN };
        match a.value().trim().parse::<f64>() {
            Ok(v) if v.abs() <= LARGEST => v,
            Ok(v) if v.is_finite() => self.bad(a, node, "is beyond every physical value", "the force field or the file is broken"),
            Ok(v) => self.bad(a, node, &format!("is {v}"), "a finite number is needed; the force field or the file is broken"),
            Err(_) => self.bad(a, node, "is not a number", "a finite number is needed; the file is damaged"),
        }
    }

    fn bad(&mut self, a: Attribute<'_, '_>, node: Node<'_, '_>, is: &str, remedy: &str) -> f64 {
        let what = format!("{}=\"{}\" of <{}> {is}", a.name(), short(a.value()), node.tag_name().name());
        self.complain(a.range(), what, remedy);
        f64::NAN
    }

    /// A finite number that satisfies `holds`; `must` completes "... must be".
    pub(super) fn number_that(&mut self, node: Node<'_, '_>, name: &str, must: &str, holds: fn(f64) -> bool) -> f64 {
        let v = self.number(node, name);
        if v.is_finite() && !holds(v) {
            if let Some(a) = node.attribute_node(name) {
                let what = format!("{name}=\"{}\" of <{}> must be {must}", short(a.value()), node.tag_name().name());
                self.complain(a.range(), what, "the force field or the file is broken: look at how the System was made");
            }
            return f64::NAN;
        }
        v
    }

    /// A whole number of `from..=to`, or `from` after a complaint.
    pub(super) fn whole(&mut self, node: Node<'_, '_>, name: &str, from: u32, to: u32) -> u32 {
        let Some(a) = node.attribute_node(name) else { return from };
        match a.value().trim().parse::<i128>() {
            Ok(v) if i128::from(from) <= v && v <= i128::from(to) => u32::try_from(v).unwrap_or(from),
            _ => {
                let what =
                    format!("{name}=\"{}\" of <{}> is not a whole number from {from} to {to}", short(a.value()), node.tag_name().name());
                self.complain(a.range(), what, "the file is damaged, or it is beyond what this program supports");
                from
            }
        }
    }

    /// Whether an optional 0/1 attribute is 1; absent means 0.
    pub(super) fn flag(&mut self, node: Node<'_, '_>, name: &str) -> bool {
        self.whole(node, name, 0, 1) == 1
    }

    /// The particles named by the attributes `names`: in range and all different. `None` after a complaint.
    pub(super) fn particles<const N: usize>(&mut self, node: Node<'_, '_>, names: [&str; N], atoms: usize) -> Option<[usize; N]> {
        let mut out = [0; N];
        for (slot, name) in out.iter_mut().zip(names) {
            let a = node.attribute_node(name)?;
            match a.value().trim().parse::<usize>() {
                Ok(i) if i < atoms => *slot = i,
                _ => {
                    let what = format!("{name}=\"{}\" of <{}> names no particle", short(a.value()), node.tag_name().name());
                    let remedy = match atoms {
                        0 => "the System has no particles".to_owned(),
                        n => format!("the System has {n} particles, numbered 0 to {}", n - 1),
                    };
                    self.complain(a.range(), what, remedy);
                    return None;
                }
            }
        }
        for i in 1..N {
            if let Some(j) = (0..i).find(|&j| out[j] == out[i]) {
                let what = format!("{} and {} of <{}> are both particle {}", names[j], names[i], node.tag_name().name(), out[i]);
                self.complain(tag(node), what, "the particles of one term must differ; the file is damaged");
                return None;
            }
        }
        Some(out)
    }

    /// Complains when a per-particle list has not one entry per particle.
    pub(super) fn one_each(&mut self, force: Node<'_, '_>, class: &str, entries: usize, atoms: usize) -> bool {
        if entries != atoms {
            let what = format!("{class} has {entries} particles, the System has {atoms}");
            self.complain(
                tag(force),
                what,
                "the file is damaged or was edited; write it again with openmm.XmlSerializer.serialize(system)",
            );
        }
        entries == atoms
    }
}

/// The span of an element's opening `<name`.
pub(super) fn tag(node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    let end = (range.start + 1 + node.tag_name().name().len()).min(range.end);
    range.start..end
}

/// "constraints", "particles of mass 0".
fn plural(thing: &str) -> String {
    let end = [" of ", " with "].iter().filter_map(|w| thing.find(w)).min().unwrap_or(thing.len());
    format!("{}s{}", &thing[..end], &thing[end..])
}

/// At most 60 characters of a text that goes into a message.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((i, _)) => format!("{}...", &text[..i]),
        None => text.to_owned(),
    }
}
