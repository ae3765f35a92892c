//! A picture as SVG text: the few shapes that our figures need, placed in px to a hundredth.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use super::raster;
use crate::ReportError;
use crate::Sink;

/// The place of the given point on a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// Style of a text that lies on lines: white around its letters.
pub(super) const HALO: &str =
    "stroke=\"#FFFFFF\" stroke-width=\"2.6\" stroke-linejoin=\"round\" paint-order=\"stroke\"";

/// A drawing on white, `width` x `height` px, x to the right and y down. What is added later covers what was there.
#[derive(Debug, Clone)]
pub struct Picture {
    width: f64,
    height: f64,
    body: String,
}

impl Picture {
    /// An empty picture.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    /// Of elements that are SVG already.
    pub(super) fn of(width: f64, height: f64, body: String) -> Self {
        Self { width, height, body }
    }

    /// Width in px.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Height in px.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// Elements written by hand, such as `<defs>`.
    pub fn raw(&mut self, elements: &str) {
        self.body += elements;
        self.body.push('\n');
    }

    /// A line; `style` holds SVG attributes, as in every shape below.
    pub fn line(&mut self, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], style: &str) {
        let _ = writeln!(self.body, r#"<line x1="{x1:.2}" y1="{y1:.2}" x2="{x2:.2}" y2="{y2:.2}" {style}/>"#);
    }

    /// A closed polygon.
    pub fn polygon(&mut self, points: &[[f64; 2]], style: &str) {
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
        let _ = writeln!(self.body, r#"<polygon points="{}" {style}/>"#, points.join(" "));
    }

    /// A circle.
    pub fn circle(&mut self, [x, y]: [f64; 2], radius: f64, style: &str) {
        let _ = writeln!(self.body, r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius:.2}" {style}/>"#);
    }

    /// A rectangle by its upper left corner and its size.
    pub fn rect(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], style: &str) {
        let _ = writeln!(self.body, r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" {style}/>"#);
    }

    /// A line of text whose baseline goes through the point, `size` px high.
    pub fn text(&mut self, [x, y]: [f64; 2], size: f64, anchor: Anchor, style: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" text-anchor="{anchor}" {style}>{}</text>"#,
            escaped(text)
        );
    }

    /// Another picture inside this one, its upper left corner at the point.
    pub fn embed(&mut self, [x, y]: [f64; 2], picture: &Self) {
        let _ = writeln!(self.body, r#"<g transform="translate({x:.2},{y:.2})">"#);
        self.body += &picture.body;
        self.body += "</g>\n";
    }

    /// The whole SVG document.
    pub fn svg(&self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             font-family=\"sans-serif\">\n<rect width=\"{w}\" height=\"{h}\" fill=\"#FFFFFF\"/>\n{}</svg>\n",
            self.body,
            w = self.width,
            h = self.height
        )
    }

    /// Write the file whose extension says how: `.svg`, or `.png` with [`raster::SCALE`] pixels to the px.
    ///
    /// # Errors
    /// Another extension, or a file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        let bytes = match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => self.svg().into_bytes(),
            Some("png") => raster::png(&self.svg()).map_err(ReportError::Format)?,
            _ => {
                return Err(ReportError::Format(format!(
                    "the name {} does not tell the kind of picture: end it with .svg or .png",
                    path.display()
                )));
            }
        };
        let mut sink = Sink::file(path)?;
        sink.write_all(&bytes).map_err(|e| ReportError::io(path, e))?;
        sink.close()
    }
}

/// Text as it may stand in XML. Characters that XML forbids altogether are left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Width in px that a text of `size` px takes at most: an estimate from the widest usual face, 0.62 em a character.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    0.62 * size * text.chars().filter(|&c| c != super::labels::OVERLINE).count() as f64
}

/// The text, or as much of its beginning as `width` px hold, with three dots.
pub(super) fn shortened(text: &str, size: f64, width: f64) -> String {
    let most = (width / text_width("x", size)) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_embedded_pictures_are_moved() {
        let mut inner = Picture::new(10.0, 10.0);
        inner.text([1.0, 2.0], 8.0, Anchor::Middle, "", "a<b & \"c\"\u{7}");
        let mut outer = Picture::new(100.0, 50.0);
        outer.embed([20.0, 30.0], &inner);
        let svg = outer.svg();
        assert!(svg.contains("translate(20.00,30.00)") && svg.contains("a&lt;b &amp; &quot;c&quot;</text>"), "{svg}");
    }

    #[test]
    fn a_long_text_is_cut_to_its_room() {
        assert_eq!(shortened("void > 0.5", 10.0, 62.0), "void > 0.5");
        assert_eq!(shortened("void > 0.55", 10.0, 62.0), "void > 0.…");
        assert_eq!(shortened("void", 10.0, 0.0), "…");
    }

    #[test]
    fn the_extension_chooses_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let mut picture = Picture::new(40.0, 20.0);
        picture.circle([20.0, 10.0], 5.0, "fill=\"#000000\"");
        let [svg, png, other] = ["a.svg", "a.PNG", "a.gif"].map(|name| folder.path().join(name));
        picture.save(&svg).unwrap();
        picture.save(&png).unwrap();
        assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg "));
        assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
        assert!(picture.save(&other).unwrap_err().to_string().contains(".svg or .png"));
        assert!(picture.save(&folder.path().join("no/folder.svg")).is_err());
    }
}
