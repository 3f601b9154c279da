//! Plots: a picture of one or more panels below each other, on white, so that it can be read in a
//! light and in a dark theme.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Failure;
use crate::table::{shown, thousands};

const WIDTH: u32 = 840;
const PANEL_HEIGHT: u32 = 320;

const COLOUR: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);

/// Room on the axes, as a part of what they show; above it is for the numbers at the points.
const ROOM_BEHIND: f64 = 0.05;
const ROOM_ABOVE: f64 = 0.2;

/// More points than these are a line without dots and numbers.
const NAMED_POINTS_MAX: usize = 12;

/// One quantity against another.
pub struct Panel {
    pub title: String,
    pub along: Axis,
    pub up: Axis,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy)]
pub struct Axis {
    /// With the unit.
    pub label: &'static str,
    pub scale: Scale,
}

#[derive(Clone, Copy)]
pub enum Scale {
    /// From zero on.
    Linear,
    /// By powers of ten.
    Log,
}

impl Scale {
    /// Where a value stands on the axis.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.max(f64::MIN_POSITIVE).log10(),
        }
    }

    /// What stands at a place of the axis. Between powers of ten there is nothing to say.
    fn name(self, place: f64) -> String {
        let is_whole = (place - place.round()).abs() < 0.01;
        match self {
            Self::Linear if place.fract() != 0.0 => shown(place),
            Self::Linear => thousands(place),
            Self::Log if is_whole => thousands(10_f64.powf(place.round())),
            Self::Log => String::new(),
        }
    }

    /// The part of the axis that has these values, with so much room behind them.
    fn range(self, values: impl Iterator<Item = f64> + Clone, room: f64) -> Range<f64> {
        let places = values.map(|value| self.place(value));
        let low = places.clone().fold(f64::INFINITY, f64::min);
        let high = places.fold(f64::NEG_INFINITY, f64::max);
        match self {
            Self::Linear => 0.0..high.max(1.0) * (1.0 + room),
            Self::Log => low.floor() - 0.15..high.max(low + 1.0) + 2.0 * room,
        }
    }
}

/// Writes a picture into the folder of the documentation.
pub fn write(name: &str, panels: &[Panel]) -> Result<PathBuf, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance");
    fs::create_dir_all(&folder)?;
    let file = folder.join(name).with_extension("svg");
    let height = PANEL_HEIGHT * panels.len() as u32;
    {
        let root = SVGBackend::new(&file, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (panel, area) in panels.iter().zip(root.split_evenly((panels.len(), 1))) {
            draw(panel, &area)?;
        }
        root.present()?;
    }
    Ok(file)
}

fn draw(
    panel: &Panel,
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
) -> Result<(), Failure> {
    let (along, up) = (panel.along, panel.up);
    let points = panel.points.iter();
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(84)
        .build_cartesian_2d(
            along
                .scale
                .range(points.clone().map(|point| point.0), ROOM_BEHIND),
            up.scale.range(points.map(|point| point.1), ROOM_ABOVE),
        )?;
    chart
        .configure_mesh()
        .x_desc(along.label)
        .y_desc(up.label)
        .x_label_formatter(&|place| along.scale.name(*place))
        .y_label_formatter(&|place| up.scale.name(*place))
        .x_labels(8)
        .y_labels(6)
        .max_light_lines(0)
        .bold_line_style(RGBColor(0xdd, 0xdd, 0xdd))
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .draw()?;
    let placed = panel.points.iter();
    let placed = placed.map(|(x, y)| (along.scale.place(*x), up.scale.place(*y)));
    let has_names = panel.points.len() <= NAMED_POINTS_MAX;
    let line = LineSeries::new(placed.clone(), COLOUR.stroke_width(2));
    chart.draw_series(line)?;
    if has_names {
        let dots = placed.clone();
        chart.draw_series(dots.map(|place| Circle::new(place, 4, COLOUR.filled())))?;
        let style = ("sans-serif", 13).into_font().color(&BLACK);
        let style = style.pos(Pos::new(HPos::Center, VPos::Bottom));
        let names = placed.zip(&panel.points);
        chart.draw_series(names.map(|(place, (_, value))| {
            EmptyElement::at(place) + Text::new(shown(*value), (0, -8), style.clone())
        }))?;
    }
    Ok(())
}
