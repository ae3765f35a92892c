//! SVG to PNG by resvg. The font travels with the program: a machine without fonts draws the same picture.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels of the PNG to one px of the SVG: 192 dpi where a screen has 96.
pub const SCALE: f32 = 2.0;

/// See fixtures/fonts/README.md.
const FONT: &[u8] = include_bytes!("../../../fixtures/fonts/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
});

/// The PNG of an SVG document.
///
/// # Errors
/// SVG that cannot be read, a picture without pixels, or one that cannot be written as PNG.
pub fn png(svg: &str) -> Result<Vec<u8>, String> {
    let svg: String = svg.chars().map(|c| if drawable(c) { c } else { '□' }).collect();
    let options = Options { font_family: FAMILY.into(), fontdb: Arc::clone(&FONTS), ..Options::default() };
    let tree = Tree::from_str(&svg, &options).map_err(|e| format!("the picture cannot be drawn: {e}"))?;
    let size = tree.size().to_int_size();
    let [width, height] = [size.width(), size.height()].map(|n| (n as f32 * SCALE) as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| format!("no picture has {width} x {height} pixels"))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| format!("the picture cannot be written as PNG: {e}"))
}

/// Whether the font has the character, or it is white space of the SVG itself.
fn drawable(c: char) -> bool {
    const SIGNS: &str = "\u{305}Δαβγδθλμρσ–—‘’“”•…⁰⁺⁻→−∞∫≈≠≤≥□";
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='ÿ' | '⁴'..='⁹' | '₀'..='₉') || SIGNS.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pixels of a picture that shows one word are dark.
    fn ink(word: &str) -> usize {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"60\" height=\"30\">\
             <text x=\"10\" y=\"22\" font-size=\"20\" font-family=\"sans-serif\">{word}</text></svg>"
        );
        let image = Pixmap::decode_png(&png(&svg).unwrap()).unwrap();
        assert_eq!((image.width(), image.height()), (120, 60));
        image.pixels().iter().filter(|p| p.alpha() > 127).count()
    }

    #[test]
    fn every_character_we_say_the_font_has_leaves_ink() {
        assert_eq!(ink(""), 0);
        for c in (0x21..0x2300).filter_map(char::from_u32).filter(|&c| drawable(c)) {
            if matches!(c, '\u{a0}' | '\u{ad}' | '&' | '<') {
                continue;
            }
            assert!(ink(&c.to_string()) > 3, "{c:?} is not drawn");
        }
    }

    #[test]
    fn a_character_without_a_glyph_is_a_box() {
        assert_eq!(ink("晶"), ink("□"));
    }
}
