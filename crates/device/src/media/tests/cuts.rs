//! A JPEG that lost some of its data is broken, wherever it lost it and whatever was done to it since.

use super::outcome;
use super::paint::{CODINGS, Coding, grain, jpeg, jpeg_with};
use jpeg_encoder::{ColorType, SamplingFactor};

#[test]
fn a_jpeg_cut_anywhere_is_broken() {
    for coding in CODINGS {
        let whole = jpeg(200, 140, coding);
        assert_eq!(outcome(&whole), "shown", "{coding:?}");
        for length in (3..whole.len() - 1).step_by(97).chain(whole.len() - 40..whole.len()) {
            assert_eq!(outcome(&whole[..length]), "broken", "{coding:?} cut at {length} of {}", whole.len());
        }
    }
}

/// As recovery tools leave it: with an end marker, so that only its data tells.
#[test]
fn a_jpeg_cut_and_closed_again_is_broken() {
    for coding in CODINGS {
        let whole = jpeg(200, 140, coding);
        for length in (0..whole.len() - 5).rev().step_by(61).filter(|&length| length > 2) {
            let mut closed = whole[..length].to_vec();
            closed.extend([0xFF, 0xD9]);
            assert_eq!(outcome(&closed), "broken", "{coding:?} cut at {length} of {}", whole.len());
        }
    }
}

/// As a file is left when its last pages did not reach the disk.
#[test]
fn a_jpeg_that_ends_in_zeros_is_broken() {
    for coding in CODINGS {
        let mut bytes = jpeg(200, 140, coding);
        let half = bytes.len() / 2;
        bytes[half..].fill(0);
        assert_eq!(outcome(&bytes), "broken", "{coding:?}");
    }
}

/// Where the disk lost a page in the middle, or a copy left one out, the rest decodes as something else.
#[test]
fn a_jpeg_with_a_hole_is_broken() {
    for coding in [Coding::Baseline, Coding::Restarts] {
        let whole = jpeg(300, 200, coding);
        let page = 2048;
        for start in (2000..whole.len() - page - 200).step_by(1500) {
            let mut zeros = whole.clone();
            zeros[start..start + page].fill(0);
            assert_eq!(outcome(&zeros), "broken", "{coding:?} zeros at {start} of {}", whole.len());
            let left_out = [&whole[..start], &whole[start + page..]].concat();
            assert_eq!(outcome(&left_out), "broken", "{coding:?} left out at {start} of {}", whole.len());
        }
    }
}

/// Some cameras round their data up, with zeros or ones, before the end marker.
#[test]
fn a_padded_jpeg_is_whole() {
    for coding in CODINGS {
        let whole = jpeg(200, 140, coding);
        for padding in [0x00, 0xFF] {
            let mut padded = whole[..whole.len() - 2].to_vec();
            padded.extend([padding; 500]);
            padded.extend([0xFF, 0xD9]);
            assert_eq!(outcome(&padded), "shown", "{coding:?} padded with {padding:#x}");
        }
    }
}

/// In a picture full of detail a page of zeros decodes as more than was there: nothing is missing in the end,
/// but what follows the hole has moved and its last rows are left over.
#[test]
fn a_jpeg_with_data_left_over_is_broken() {
    let whole = jpeg_with(200, 140, &grain(200, 140), ColorType::Rgb, |encoder| {
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
    });
    assert_eq!(outcome(&whole), "shown");
    for start in (2000..whole.len() - 3000).step_by(4000) {
        let mut zeros = whole.clone();
        zeros[start..start + 2048].fill(0);
        assert_eq!(outcome(&zeros), "broken", "zeros at {start} of {}", whole.len());
    }
}

/// The markers between the stretches are all there, so that a decoder can go on at the next one.
#[test]
fn a_jpeg_with_a_short_stretch_between_restarts_is_broken() {
    let whole = jpeg(200, 140, Coding::Restarts);
    let restarts: Vec<usize> = (0..whole.len() - 1)
        .filter(|&at| whole[at] == 0xFF && (0xD0..=0xD7).contains(&whole[at + 1]))
        .collect();
    assert!(restarts.len() > 10);
    for &restart in &restarts {
        let short = [&whole[..restart - 30], &whole[restart..]].concat();
        assert_eq!(outcome(&short), "broken", "before {restart} of {}", whole.len());
    }
}
