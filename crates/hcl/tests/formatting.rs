//! The canonical layout. Where hclfmt (`bao policy fmt`) and this differ is noted in the case.
#![allow(missing_docs, clippy::unwrap_used)]

use coffer_hcl::format;

#[test]
fn layouts() {
    for (input, expected) in [
        ("", ""),
        ("\n\n# only\n\n", "# only\n"),
        (
            "path \"a\" { capabilities = [\"read\"] }\npath \"b\" {capabilities=[\"list\",\"read\",]}",
            "path \"a\" {\n  capabilities = [\"read\"]\n}\n\npath \"b\" {\n  capabilities = [\"list\", \"read\"]\n}\n",
        ),
        (
            "a=1\nbbb = 2\n\n\n\nc=\"x\"\nd {x=1}\ne=3\nf=4\n",
            "a   = 1\nbbb = 2\n\nc = \"x\"\n\nd {\n  x = 1\n}\n\ne = 3\nf = 4\n",
        ),
        (
            "a = 1 # one\nbbbb = 22 // two\n\n# lead\n# lead2\nc = 3\nddd = 4\n\n# alone\n\ne = 5\n# end",
            "a    = 1  # one\nbbbb = 22 // two\n\n# lead\n# lead2\nc   = 3\nddd = 4\n\n# alone\n\ne = 5\n\n# end\n",
        ),
        (
            "x = [\n1,2,\n3]\ny=[1,2,]\nz=[ \"a\", # c1\n \"bbb\", # c2\n\n# own\n\"c\"]\nw=[]\nv=[\n]\n",
            "x = [\n  1,\n  2,\n  3,\n]\n\ny = [1, 2]\n\nz = [\n  \"a\",   # c1\n  \"bbb\", # c2\n\n  # own\n  \"c\",\n]\n\nw = []\nv = []\n",
        ),
        (
            "x = [{a=1},[2]]",
            "x = [\n  {\n    a = 1\n  },\n  [2],\n]\n",
        ),
        (
            "x = <<EOF\n  hi\nEOF\ny = 2\nz = [<<-EOF\n  a\n  EOF\n, \"b\"]",
            "x = <<EOF\n  hi\nEOF\n\ny = 2\n\nz = [\n  <<-EOF\n  a\n  EOF\n  ,\n  \"b\",\n]\n",
        ),
        (
            "path \"a\" { capabilities = [\"read\"] } # d\nb \"c\" d {}",
            "path \"a\" {\n  capabilities = [\"read\"]\n} # d\n\nb \"c\" d {}\n",
        ),
        (
            "/* multi\n   line */\na = 1\r\n# crlf\r\nb = 2",
            "/* multi\n   line */\na = 1\n\n# crlf\nb = 2\n",
        ),
        // hclfmt moves this comment behind the block's first attribute; ours stays the first thing in the block.
        ("a { # c\n b = 1 }", "a {\n  # c\n  b = 1\n}\n"),
        // hclfmt moves comments out of an empty list; ours stay inside.
        ("x = [\n# foo\n]", "x = [\n  # foo\n]\n"),
        ("a = # c\n 1", "# c\na = 1\n"),
    ] {
        let once = format(input).unwrap();
        assert_eq!(once, expected, "{input}");
        assert_eq!(format(&once).unwrap(), once, "not stable: {input}");
    }
}

#[test]
fn json_and_broken_documents_are_refused() {
    assert!(
        format("{\"path\": {}}")
            .unwrap_err()
            .to_string()
            .contains("JSON")
    );
    assert!(format("a = ").is_err());
}
