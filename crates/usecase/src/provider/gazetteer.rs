//! Gazetteer: where an outward postcode lies, read from a file that the operator names, since the table is not the project's.

use std::collections::HashMap;
use std::path::Path;

use domain::arrangement::policy::Point;

/// The centres of outward postcodes; empty where no file is named.
#[derive(Clone, Debug, Default)]
pub struct Gazetteer(HashMap<String, Point>);

impl Gazetteer {
    /// Reads a CSV file with the headings `postcode`, `latitude` and `longitude` (degrees), in any order.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn read(file: &Path) -> Result<Self, String> {
        let say = |e: &dyn std::fmt::Display| format!("the postcode table {}: {e}", file.display());
        let mut table = csv::Reader::from_path(file).map_err(|e| say(&e))?;
        let headings = table.headers().map_err(|e| say(&e))?.clone();
        let column = |name: &str| {
            let found = headings.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name));
            found.ok_or_else(|| say(&format!("there is no column `{name}`")))
        };
        let (postcode, latitude, longitude) = (column("postcode")?, column("latitude")?, column("longitude")?);
        let mut centres = HashMap::new();
        for (i, row) in table.records().enumerate() {
            let row = row.map_err(|e| say(&e))?;
            let wrong = |what: &str| say(&format!("line {}: {what}", i + 2));
            let code =
                row.get(postcode).map(str::trim).filter(|code| !code.is_empty()).ok_or_else(|| wrong("no postcode"))?;
            let degrees = |at: usize, most: f64| {
                let degrees = row.get(at).and_then(|text| text.trim().parse::<f64>().ok());
                degrees.filter(|d| d.abs() <= most).ok_or_else(|| wrong("a coordinate is no number of degrees"))
            };
            let point = Point {
                latitude: millionths(degrees(latitude, 90.0)?),
                longitude: millionths(degrees(longitude, 180.0)?),
            };
            centres.insert(code.to_ascii_uppercase(), point);
        }
        Ok(Self(centres))
    }

    /// The centre of an outward postcode such as `PE29`.
    #[must_use]
    pub fn find(&self, outward: &str) -> Option<Point> {
        self.0.get(outward).copied()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "degrees are within 180, so millionths of them fit")]
fn millionths(degrees: f64) -> i32 {
    (degrees * 1_000_000.0).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_in_any_order_and_errors_name_the_line() {
        let file = std::env::temp_dir().join(format!("gazetteer-{}.csv", std::process::id()));
        std::fs::write(&file, "longitude,Postcode,latitude\n-0.18,PE29,52.33\n").unwrap();
        let found = Gazetteer::read(&file).unwrap().find("PE29");
        assert_eq!(found, Some(Point { latitude: 52_330_000, longitude: -180_000 }));
        std::fs::write(&file, "postcode,latitude,longitude\nPE29,north,0\n").unwrap();
        assert!(Gazetteer::read(&file).unwrap_err().contains("line 2"));
        std::fs::remove_file(&file).unwrap();
    }
}
