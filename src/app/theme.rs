//! Colours, fonts and spacing of both themes. Every colour of the window has its name here and nowhere else.
//!
//! Verdicts and classes use a blue and orange family that the common kinds of colour blindness keep apart; where a
//! colour means something, a letter or a shape must say the same.

use eframe::egui::style::WidgetVisuals;
use eframe::egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle,
    Theme, Ui, Vec2, Visuals,
};

/// The meanings colours have. The same names in both themes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Verdict PASS: the picture's score lies below the limit.
    pub pass: Color32,
    /// Verdict FAIL.
    pub fail: Color32,
    /// Verdict REVIEW: a person decides.
    pub review: Color32,
    /// Truth: good pictures, in histograms and lists.
    pub good_class: Color32,
    /// Truth: defective pictures.
    pub defect_class: Color32,
    /// The limit: its line in plots, its mark on the colour bar, its contour on maps.
    pub limit: Color32,
    /// What can be pressed or is selected; the first line of a plot.
    pub accent: Color32,
    /// Text on a surface filled with `accent`.
    pub on_accent: Color32,
    /// Further lines of a plot that are neither a class nor the limit.
    pub second: Color32,
    pub third: Color32,
    pub fourth: Color32,
    pub error: Color32,
    pub warning: Color32,
    /// Headings and numbers that matter.
    pub strong: Color32,
    pub text: Color32,
    /// Hints, units, captions.
    pub muted: Color32,
    /// Behind everything.
    pub panel: Color32,
    /// The left rail and the status bar.
    pub rail: Color32,
    /// A raised group on the panel.
    pub card: Color32,
    /// Text fields and the ground of plots and pictures.
    pub well: Color32,
    /// Hairlines around cards and between bars.
    pub outline: Color32,
    /// Buttons at rest.
    pub button: Color32,
    pub button_hovered: Color32,
    pub button_pressed: Color32,
}

const DARK: Palette = Palette {
    pass: Color32::from_rgb(0x5a, 0xb0, 0xf2),
    fail: Color32::from_rgb(0xff, 0x94, 0x4d),
    review: Color32::from_rgb(0xe6, 0xd0, 0x6b),
    good_class: Color32::from_rgb(0x5a, 0xb0, 0xf2),
    defect_class: Color32::from_rgb(0xff, 0x94, 0x4d),
    limit: Color32::from_rgb(0xf4, 0x7f, 0xd4),
    accent: Color32::from_rgb(0x35, 0xc2, 0xb0),
    on_accent: Color32::from_rgb(0x06, 0x1d, 0x1a),
    second: Color32::from_rgb(0xb6, 0x9c, 0xff),
    third: Color32::from_rgb(0xe3, 0xb3, 0x41),
    fourth: Color32::from_rgb(0x6c, 0xb1, 0xf2),
    error: Color32::from_rgb(0xff, 0x8a, 0x7a),
    warning: Color32::from_rgb(0xf0, 0xc0, 0x4a),
    strong: Color32::from_rgb(0xf4, 0xf6, 0xf8),
    text: Color32::from_rgb(0xd3, 0xd9, 0xdf),
    muted: Color32::from_rgb(0x9a, 0xa5, 0xb1),
    panel: Color32::from_rgb(0x17, 0x1a, 0x1f),
    rail: Color32::from_rgb(0x10, 0x12, 0x16),
    card: Color32::from_rgb(0x1f, 0x23, 0x29),
    well: Color32::from_rgb(0x0d, 0x0f, 0x12),
    outline: Color32::from_rgb(0x33, 0x3a, 0x43),
    button: Color32::from_rgb(0x2d, 0x33, 0x3b),
    button_hovered: Color32::from_rgb(0x39, 0x41, 0x4b),
    button_pressed: Color32::from_rgb(0x26, 0x2b, 0x32),
};

const LIGHT: Palette = Palette {
    pass: Color32::from_rgb(0x0b, 0x66, 0xb0),
    fail: Color32::from_rgb(0xb0, 0x45, 0x00),
    review: Color32::from_rgb(0x7a, 0x62, 0x00),
    good_class: Color32::from_rgb(0x2b, 0x83, 0xcb),
    defect_class: Color32::from_rgb(0xd9, 0x6a, 0x14),
    limit: Color32::from_rgb(0xb0, 0x1c, 0x86),
    accent: Color32::from_rgb(0x07, 0x6e, 0x63),
    on_accent: Color32::WHITE,
    second: Color32::from_rgb(0x6a, 0x4f, 0xc4),
    third: Color32::from_rgb(0x9a, 0x63, 0x00),
    fourth: Color32::from_rgb(0x1c, 0x6f, 0xb8),
    error: Color32::from_rgb(0xb3, 0x26, 0x1e),
    warning: Color32::from_rgb(0x80, 0x52, 0x00),
    strong: Color32::from_rgb(0x11, 0x16, 0x1c),
    text: Color32::from_rgb(0x2c, 0x34, 0x3d),
    muted: Color32::from_rgb(0x5a, 0x65, 0x70),
    panel: Color32::from_rgb(0xf5, 0xf6, 0xf8),
    rail: Color32::from_rgb(0xe9, 0xec, 0xf0),
    card: Color32::from_rgb(0xff, 0xff, 0xff),
    well: Color32::from_rgb(0xfd, 0xfd, 0xfe),
    outline: Color32::from_rgb(0xcd, 0xd4, 0xdc),
    button: Color32::from_rgb(0xe4, 0xe8, 0xed),
    button_hovered: Color32::from_rgb(0xd8, 0xde, 0xe5),
    button_pressed: Color32::from_rgb(0xca, 0xd2, 0xdb),
};

/// A mask painted over a picture, in both themes: hardly any product has this colour.
pub const MASK: Color32 = Color32::from_rgb(0xff, 0x3d, 0xb4);

/// The outline of the product in a picture, in both themes.
pub const PRODUCT: Color32 = Color32::from_rgb(0x39, 0xe6, 0x8a);

/// Corner radius of cards, buttons and fields, in points.
pub const RADIUS: u8 = 6;

/// The colours of the theme `ui` is drawn in.
pub fn palette(ui: &Ui) -> &'static Palette {
    palette_of(if ui.visuals().dark_mode {
        Theme::Dark
    } else {
        Theme::Light
    })
}

/// The colours of one theme.
pub fn palette_of(theme: Theme) -> &'static Palette {
    match theme {
        Theme::Dark => &DARK,
        Theme::Light => &LIGHT,
    }
}

/// Gives both themes their colours, fonts and spacing.
pub fn install(ctx: &Context) {
    for theme in [Theme::Dark, Theme::Light] {
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(theme);
            set_text_and_spacing(style);
        });
    }
}

fn set_text_and_spacing(style: &mut Style) {
    let size = |size, family| FontId::new(size, family);
    style.text_styles = [
        (TextStyle::Small, size(12.0, FontFamily::Proportional)),
        (TextStyle::Body, size(14.0, FontFamily::Proportional)),
        (TextStyle::Button, size(14.0, FontFamily::Proportional)),
        (TextStyle::Heading, size(20.0, FontFamily::Proportional)),
        (TextStyle::Monospace, size(13.0, FontFamily::Monospace)),
    ]
    .into();
    style.spacing.item_spacing = Vec2::new(8.0, 8.0);
    style.spacing.button_padding = Vec2::new(12.0, 5.0);
    style.spacing.interact_size = Vec2::new(40.0, 28.0);
    style.spacing.combo_width = 160.0;
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.tooltip_width = 360.0;
    style.interaction.selectable_labels = false;
}

fn visuals(theme: Theme) -> Visuals {
    let palette = palette_of(theme);
    let mut visuals = theme.default_visuals();
    let widget = |fill: Color32, border: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, border),
        corner_radius: CornerRadius::same(RADIUS),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(palette.card, palette.outline, palette.text);
    visuals.widgets.inactive = widget(palette.button, palette.outline, palette.text);
    visuals.widgets.hovered = widget(palette.button_hovered, palette.muted, palette.strong);
    visuals.widgets.active = widget(palette.button_pressed, palette.accent, palette.strong);
    visuals.widgets.open = widget(palette.button_hovered, palette.outline, palette.strong);
    visuals.selection.bg_fill = palette.accent.gamma_multiply(0.28);
    visuals.selection.stroke = Stroke::new(1.0, palette.strong);
    visuals.hyperlink_color = palette.accent;
    visuals.weak_text_color = Some(palette.muted);
    visuals.faint_bg_color = palette.button.gamma_multiply(0.35);
    visuals.extreme_bg_color = palette.well;
    visuals.code_bg_color = palette.button;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.error;
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.card;
    visuals.window_stroke = Stroke::new(1.0, palette.outline);
    visuals.window_corner_radius = CornerRadius::same(RADIUS + 2);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    visuals.popup_shadow = soft_shadow(theme);
    visuals.window_shadow = soft_shadow(theme);
    visuals.slider_trailing_fill = true;
    visuals
}

fn soft_shadow(theme: Theme) -> Shadow {
    Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(match theme {
            Theme::Dark => 120,
            Theme::Light => 40,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Palette, palette_of};
    use eframe::egui::{Color32, Rgba, Theme};

    /// Contrast ratio of the Web Content Accessibility Guidelines 2, from 1 to 21.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color| {
            let linear = Rgba::from(color);
            0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b()
        };
        let (a, b): (f32, f32) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn check_text(name: &str, palette: &Palette) {
        let texts = [
            ("pass", palette.pass),
            ("fail", palette.fail),
            ("review", palette.review),
            ("limit", palette.limit),
            ("accent", palette.accent),
            ("error", palette.error),
            ("warning", palette.warning),
            ("text", palette.text),
            ("muted", palette.muted),
        ];
        for (text, color) in texts {
            for ground in [palette.panel, palette.rail, palette.card, palette.well] {
                let ratio = contrast(color, ground);
                assert!(
                    ratio >= 4.5,
                    "{name}: {text} on {ground:?} has contrast {ratio:.2}"
                );
            }
        }
        assert!(
            contrast(palette.on_accent, palette.accent) >= 4.5,
            "{name}: on_accent"
        );
    }

    #[test]
    fn text_can_be_read_on_every_ground_in_both_themes() {
        check_text("dark", palette_of(Theme::Dark));
        check_text("light", palette_of(Theme::Light));
    }

    #[test]
    fn class_colours_stand_out_as_marks() {
        for theme in [Theme::Dark, Theme::Light] {
            let palette = palette_of(theme);
            for mark in [
                palette.good_class,
                palette.defect_class,
                palette.second,
                palette.third,
                palette.fourth,
                palette.limit,
            ] {
                assert!(contrast(mark, palette.well) >= 3.0, "{theme:?}: {mark:?}");
            }
        }
    }
}
