//! What is printed: medians over the rounds, and ratios within each of them.

use std::fmt::Write;

use crate::Plan;
use crate::server::Kind;

/// One row of the table, with a value for each round.
pub struct Line {
    pub row: u8,
    name: String,
    unit: &'static str,
    values: Values,
    costs: Values,
    others: Vec<f64>,
}

#[derive(Default)]
struct Values {
    reveille: Vec<f64>,
    alertmanager: Vec<f64>,
    floor: Vec<f64>,
}

impl Values {
    fn of(&mut self, kind: Kind) -> &mut Vec<f64> {
        match kind {
            Kind::Reveille => &mut self.reveille,
            Kind::Alertmanager => &mut self.alertmanager,
            Kind::Floor => &mut self.floor,
        }
    }
}

impl Line {
    pub fn new(row: u8, name: &str, unit: &'static str) -> Self {
        Self {
            row,
            name: name.to_owned(),
            unit,
            values: Values::default(),
            costs: Values::default(),
            others: Vec::new(),
        }
    }

    pub fn add(&mut self, kind: Kind, value: f64) {
        self.values.of(kind).push(value);
    }

    /// Adds processor time in microseconds per alert.
    pub fn add_cost(&mut self, kind: Kind, microseconds: f64) {
        self.costs.of(kind).push(microseconds);
    }

    /// Adds how many percent of the processors were taken by what was not measured.
    pub fn add_others(&mut self, percent: f64) {
        self.others.push(percent);
    }
}

const HEAD: &str = "\
| | | unit | Reveille | Alertmanager | floor | Reveille / Alertmanager | floor / Alertmanager \
| CPU µs per alert: Reveille | Alertmanager | floor |
|---|---|---|---|---|---|---|---|---|---|---|
";

pub fn markdown(lines: &[Line], plan: &Plan) -> String {
    let (rounds, divisor) = (plan.rounds, plan.divisor);
    let mut text = format!("Rounds: {rounds}; medians, ratios with their lowest and highest.\n");
    if divisor > 1 {
        text += &format!("Each load, its incidents and alerts are 1/{divisor} of what is said.\n");
    }
    text.push('\n');
    text += HEAD;
    for line in lines {
        let (values, costs) = (&line.values, &line.costs);
        let cells = [
            line.row.to_string(),
            line.name.clone(),
            line.unit.to_owned(),
            shown_median(&values.reveille),
            shown_median(&values.alertmanager),
            shown_median(&values.floor),
            ratio(&values.reveille, &values.alertmanager),
            ratio(&values.floor, &values.alertmanager),
            shown_median(&costs.reveille),
            shown_median(&costs.alertmanager),
            shown_median(&costs.floor),
        ];
        // Writing to a text cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    let others: Vec<f64> = lines.iter().flat_map(|line| line.others.clone()).collect();
    if let Some(middle) = median(&others) {
        let most = others.iter().copied().fold(middle, f64::max);
        text += &format!(
            "\nIn the runs of rows 1 to 4 other processes and the kernel took {middle:.0} % of the \
             processors (median), {most:.0} % at the most.\n"
        );
    }
    text
}

fn shown_median(values: &[f64]) -> String {
    median(values).map_or_else(|| "–".to_owned(), shown)
}

/// A number as it is read.
pub fn shown(value: f64) -> String {
    match value {
        100.0.. => thousands(value),
        _ => format!("{value:.1}"),
    }
}

fn ratio(one: &[f64], other: &[f64]) -> String {
    let mut ratios: Vec<f64> = one
        .iter()
        .zip(other)
        .map(|(one, other)| one / other)
        .collect();
    ratios.sort_by(f64::total_cmp);
    match (median(&ratios), ratios.first(), ratios.last()) {
        (Some(middle), Some(low), Some(high)) => format!("{middle:.2} ({low:.2}–{high:.2})"),
        _ => "–".to_owned(),
    }
}

pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(lower.midpoint(upper))
}

/// A whole number with commas.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
