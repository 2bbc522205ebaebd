//! The answers of AWS, read strictly: plain elements with text, one namespace, no attribute, nothing that is defined,
//! included, processed, or hidden from who reads it otherwise.

use coffer_crypto::Zeroizing;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

/// How deep elements may be nested.
const DEPTH_MAX: usize = 24;
/// How many there may be.
const ELEMENTS_MAX: usize = 4_096;

/// An element. What it says may be a secret, so it is not to be printed.
#[derive(Default)]
pub(super) struct Element {
    name: String,
    text: Zeroizing<String>,
    children: Vec<Element>,
}

/// The one element of a document, if that has this name and namespace; a slash at the end of that does not count.
pub(super) fn parse(bytes: &[u8], root: &str, namespace: &str) -> Result<Element, &'static str> {
    read(bytes, root, Some(namespace.trim_end_matches('/')))
}

/// The same where the root is in no namespace.
pub(super) fn parse_bare(bytes: &[u8], root: &str) -> Result<Element, &'static str> {
    read(bytes, root, None)
}

fn read(bytes: &[u8], root: &str, namespace: Option<&str>) -> Result<Element, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let mut reader = Reader::from_str(text);
    let mut read = Reading::default();
    loop {
        match reader.read_event().map_err(|_| "it is not XML")? {
            Event::Decl(_) if read.is_new() => {}
            Event::Start(tag) => read.open(&tag, root, namespace)?,
            Event::Empty(tag) => {
                read.open(&tag, root, namespace)?;
                read.close()?;
            }
            Event::End(_) => read.close()?,
            Event::Text(text) => read.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let known = match reference.resolve_char_ref() {
                    Ok(Some(sign)) => Some(sign.to_string()),
                    Ok(None) => resolve_xml_entity(&reference.xml10_content()).map(str::to_owned),
                    Err(_) => None,
                };
                read.text(&known.ok_or("it refers to what is not there")?)?;
            }
            Event::Eof => return read.done(),
            _ => return Err("it holds more than elements and text"),
        }
    }
}

impl Element {
    /// The one child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        let mut found = self.children.iter().filter(|child| child.name == name);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the one child of this name, which has only that.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let child = self.child(name)?;
        let text = child.text.as_str();
        (child.children.is_empty() && !text.is_empty()).then_some(text)
    }
}

/// A document as far as it was read.
#[derive(Default)]
struct Reading {
    /// The elements that are open, the outermost first.
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
    begun: bool,
}

impl Reading {
    fn is_new(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    fn open(
        &mut self,
        tag: &BytesStart<'_>,
        root: &str,
        namespace: Option<&str>,
    ) -> Result<(), &'static str> {
        self.begun = true;
        self.count += 1;
        if self.count > ELEMENTS_MAX || self.open.len() >= DEPTH_MAX || self.root.is_some() {
            return Err("it has too many elements");
        }
        let name = tag.name().0;
        let mut spaces = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| "it is not XML")?;
            spaces.push((attribute.key.0, attribute.value.into_owned()));
        }
        let expected = match (self.open.is_empty(), spaces.as_slice()) {
            (true, [("xmlns", value)]) => {
                name == root && namespace == Some(value.trim_end_matches('/'))
            }
            (true, []) => name == root && namespace.is_none(),
            (false, []) => !name.contains(':'),
            _ => false,
        };
        if !expected {
            return Err("it is not the answer that was asked for");
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let element = self.open.pop().ok_or("it is not XML")?;
        if !element.children.is_empty() && !element.text.trim().is_empty() {
            return Err("it mixes text and elements");
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        self.begun = true;
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("it holds more than elements and text"),
        }
        Ok(())
    }

    fn done(self) -> Result<Element, &'static str> {
        match self.open.is_empty() {
            true => self.root.ok_or("it is empty"),
            false => Err("it ends too early"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Element, &'static str> {
        parse(text.as_bytes(), "A", "urn:x")
    }

    #[test]
    fn elements_and_text() {
        let read = read("<?xml version=\"1.0\"?>\n<A xmlns=\"urn:x\">\n <B>1 &amp; &#50;</B><C><D/></C><E>1</E><E>2</E>\n</A>\n").unwrap();
        assert_eq!(read.text_of("B"), Some("1 & 2"));
        assert!(read.child("C").unwrap().child("D").is_some());
        assert_eq!((read.text_of("C"), read.text_of("E")), (None, None));
        assert_eq!(read.all("E").count(), 2);
    }

    #[test]
    fn nothing_else() {
        for text in [
            "",
            "x",
            "{\"A\": 1}",
            "<A/>",
            "<A xmlns=\"urn:y\"/>",
            "<B xmlns=\"urn:x\"/>",
            "<x:A xmlns:x=\"urn:x\"/>",
            "<A xmlns=\"urn:x\" xmlns:y=\"urn:y\"/>",
            "<A xmlns=\"urn:x\"><B xmlns=\"urn:y\"/></A>",
            "<A xmlns=\"urn:x\"><B z=\"1\"/></A>",
            "<A xmlns=\"urn:x\"><y:B/></A>",
            "<A xmlns=\"urn:x\"><B></A>",
            "<A xmlns=\"urn:x\"><B>",
            "<A xmlns=\"urn:x\"></A><A xmlns=\"urn:x\"></A>",
            "<A xmlns=\"urn:x\"></A>more",
            "before<A xmlns=\"urn:x\"></A>",
            "<A xmlns=\"urn:x\">1<B/>2</A>",
            "<!DOCTYPE A [<!ENTITY b \"c\">]><A xmlns=\"urn:x\"><B>&b;</B></A>",
            "<A xmlns=\"urn:x\"><B>&b;</B></A>",
            "<A xmlns=\"urn:x\"><B>a<!-- x -->b</B></A>",
            "<A xmlns=\"urn:x\"><B><![CDATA[a]]></B></A>",
            "<A xmlns=\"urn:x\"><?b c?></A>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = format!(
            "<A xmlns=\"urn:x\">{}{}</A>",
            "<B>".repeat(30),
            "</B>".repeat(30)
        );
        assert!(read(&deep).is_err());
        let wide = format!("<A xmlns=\"urn:x\">{}</A>", "<B/>".repeat(5_000));
        assert!(read(&wide).is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, "A", "urn:x");
        }

        #[test]
        fn text_stays_text(text in "[a-zA-Z0-9:/<>&\"' -]{0,40}") {
            let written = quick_xml::escape::escape(text.as_str());
            let document = format!("<A xmlns=\"urn:x\"><B>{written}</B></A>");
            let read = read(&document).unwrap();
            prop_assert_eq!(read.text_of("B").unwrap_or_default(), text);
        }
    }
}
