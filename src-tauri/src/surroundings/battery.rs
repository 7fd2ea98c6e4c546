//! The battery, out of the files in which Linux tells of it
//! (<https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-power>).

use standpipe_domain::hold::Battery;
use std::fs;
use std::path::Path;

/// So many percent are little, in percent: enough to finish a round with, not enough to send a day's photos as well.
const LITTLE: u32 = 20;

/// How the battery stands by the files in `folder`, one folder for each supply of power.
pub fn read(folder: &Path) -> Battery {
    let Ok(supplies) = fs::read_dir(folder) else { return Battery::Unknown };
    let mut most = None;
    for supply in supplies.flatten() {
        let says =
            |file: &str| fs::read_to_string(supply.path().join(file)).unwrap_or_default().trim().to_owned();
        match says("type").as_str() {
            // That of a mouse or a pen.
            "Battery" if says("scope") == "Device" => {}
            "Battery" => match says("status").as_str() {
                "Charging" | "Full" | "Not charging" => return Battery::Enough,
                _ => most = most.max(says("capacity").parse::<u32>().ok()),
            },
            _ if says("online") == "1" => return Battery::Enough,
            _ => {}
        }
    }
    match most {
        None => Battery::Unknown,
        Some(percent) if percent <= LITTLE => Battery::Low,
        Some(_) => Battery::Enough,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of a tablet with these supplies.
    fn reading(supplies: &[&[(&str, &str)]]) -> Battery {
        let folder = tempfile::TempDir::new().unwrap();
        for (at, files) in supplies.iter().enumerate() {
            let supply = folder.path().join(format!("supply{at}"));
            fs::create_dir(&supply).unwrap();
            for (name, text) in *files {
                fs::write(supply.join(name), format!("{text}\n")).unwrap();
            }
        }
        read(folder.path())
    }

    const PLUG: &[(&str, &str)] = &[("type", "Mains"), ("online", "1")];
    const NO_PLUG: &[(&str, &str)] = &[("type", "Mains"), ("online", "0")];
    const USB: &[(&str, &str)] = &[("type", "USB"), ("online", "1")];
    const FIVE: &[(&str, &str)] = &[("type", "Battery"), ("status", "Discharging"), ("capacity", "5")];
    const TWENTY: &[(&str, &str)] = &[("type", "Battery"), ("status", "Discharging"), ("capacity", "20")];
    const HALF: &[(&str, &str)] = &[("type", "Battery"), ("status", "Unknown"), ("capacity", "50")];
    const CHARGING: &[(&str, &str)] = &[("type", "Battery"), ("status", "Charging"), ("capacity", "5")];
    const MOUSE: &[(&str, &str)] =
        &[("type", "Battery"), ("scope", "Device"), ("status", "Discharging"), ("capacity", "3")];

    #[test]
    fn a_battery_is_low_when_little_is_left_and_nothing_charges_it() {
        for (supplies, stands) in [
            (&[NO_PLUG, FIVE][..], Battery::Low),
            (&[TWENTY], Battery::Low),
            (&[HALF], Battery::Enough),
            (&[FIVE, HALF], Battery::Enough),
            (&[CHARGING], Battery::Enough),
            (&[PLUG, FIVE], Battery::Enough),
            (&[USB, FIVE], Battery::Enough),
        ] {
            assert_eq!(reading(supplies), stands, "{supplies:?}");
        }
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        assert_eq!(reading(&[]), Battery::Unknown);
        assert_eq!(reading(&[MOUSE]), Battery::Unknown);
        assert_eq!(reading(&[NO_PLUG]), Battery::Unknown);
        assert_eq!(reading(&[&[("type", "Battery"), ("status", "Discharging")]]), Battery::Unknown);
        assert_eq!(read(Path::new("/nowhere/at/all")), Battery::Unknown);
    }
}
