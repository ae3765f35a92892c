//! Text as it may stand in a page.

use crate::plots::escaped;

/// Text between tags or in a quoted attribute; control characters, line ends among them, are left out.
pub(super) fn text(text: &str) -> String {
    escaped(text)
}

/// Text of several lines, its line ends kept.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(|line| escaped(&line.replace('\t', "    "))).collect::<Vec<_>>().join("\n")
}

/// A formula with its numbers set low; what is copied from the page is the plain formula.
pub(super) fn formula(formula: &str) -> String {
    let mut out = String::new();
    let mut low = false;
    for c in formula.chars() {
        // A digit or a decimal point counts atoms where a symbol or a bracket stands before it.
        let counts = c.is_ascii_digit() || (low && c == '.');
        if counts != low {
            out += if counts { "<sub>" } else { "</sub>" };
            low = counts;
        }
        out += &escaped(c.encode_utf8(&mut [0; 4]));
    }
    if low {
        out += "</sub>";
    }
    out
}

/// JSON as it may stand in a script element: no `<` can end it or begin a comment.
pub(super) fn data(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_set_and_escaped() {
        assert_eq!(formula("Nb12WO33"), "Nb<sub>12</sub>WO<sub>33</sub>");
        assert_eq!(formula("Li0.5MnO2"), "Li<sub>0.5</sub>MnO<sub>2</sub>");
        assert_eq!(formula("<b>"), "&lt;b&gt;");
    }

    #[test]
    fn lines_stay_and_markup_does_not() {
        assert_eq!(lines("a <b>\n\tc & d\u{7}"), "a &lt;b&gt;\n    c &amp; d");
        let json = serde_json::to_string("</script><!--").unwrap();
        assert!(!data(&json).contains('<'));
        assert_eq!(serde_json::from_str::<String>(&data(&json)).unwrap(), "</script><!--");
    }
}
