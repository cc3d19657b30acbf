#![doc = include_str!("../README.md")]

pub mod math;
pub mod policy;
