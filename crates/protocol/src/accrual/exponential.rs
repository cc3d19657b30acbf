//! The exponential and the logarithm as the contracts compute them, bit for bit.
//!
//! Source of both: `FixedPointMathLib.expWad` and `lnWad` of solady 0.1.26, which are rational approximations by Remco Bloemen
//! (<https://xn--2-umb.com/22/exp-ln>). EVM words wrap, so every operation here does.

use alloy_primitives::{I256, U256, uint};

/// ⌊e^(x / 1e18) 1e18⌋, within the approximation.
///
/// `None` where the contracts revert: for x of 135.3 (WAD) or more, whose exponential is no `int256`.
#[must_use]
pub fn exp_wad(x: I256) -> Option<U256> {
    if x <= whole(-41_446_531_673_892_822_313) {
        return Some(U256::ZERO);
    }
    if x >= whole(135_305_999_368_893_231_589) {
        return None;
    }
    // From WAD to a base of 2^96: times 2^96 / 1e18 = 2^78 / 5^18.
    let x = shl(x, 78) / whole(5_i128.pow(18));
    // x = x' + k ln 2 with |x'| <= ln 2 / 2.
    let ln2 = whole(54_916_777_467_707_473_351_141_471_128);
    let k = (shl(x, 96) / ln2).wrapping_add(shl(I256::ONE, 95)).asr(96);
    let x = x.wrapping_sub(k.wrapping_mul(ln2));

    let y = x.wrapping_add(whole(1_346_386_616_545_796_478_920_950_773_328));
    let y = scaled(y, x).wrapping_add(whole(57_155_421_227_552_351_082_224_309_758_442));
    let p = y
        .wrapping_add(x)
        .wrapping_sub(whole(94_201_549_194_550_492_254_356_042_504_812));
    let p = scaled(p, y).wrapping_add(whole(28_719_021_644_029_726_153_956_944_680_412_240));
    let p = p.wrapping_mul(x).wrapping_add(shl(
        whole(4_385_272_521_454_847_904_659_076_985_693_276),
        96,
    ));

    let mut q = x.wrapping_sub(whole(2_855_989_394_907_223_263_936_484_059_900));
    for coefficient in [
        50_020_603_652_535_783_019_961_831_881_945,
        -533_845_033_583_426_703_283_633_433_725_380,
        3_604_857_256_930_695_427_073_651_918_091_429,
        -14_423_608_567_350_463_180_887_372_962_807_573,
        26_449_188_498_355_588_339_934_803_723_976_023,
    ] {
        q = scaled(q, x).wrapping_add(whole(coefficient));
    }
    let r = p.wrapping_div(q).into_raw();
    // 2^k, the approximation's scale and the way back to WAD in one product; k is in [-61, 195].
    let scale = uint!(3822833074963236453042738258902158003155416615667_U256);
    let shift = usize::try_from(195 - k.as_i64()).ok()?;
    Some(r.wrapping_mul(scale) >> shift)
}

/// ln(x / 1e18) 1e18, to nearest or so. `None` for 0 and for what is no `int256`, where the contracts revert.
#[must_use]
pub fn ln_wad(x: U256) -> Option<I256> {
    if x.is_zero() || x.bit(255) {
        return None;
    }
    // The position of the highest bit, counted from above: 255 - ⌊log2 x⌋.
    let r = x.leading_zeros();
    // x in [1, 2), in a base of 2^96.
    let x = I256::from_raw((x << r) >> 159);

    let mut p = x.wrapping_add(whole(3_273_285_459_638_523_848_632_254_066_296));
    for coefficient in [
        24_828_157_081_833_163_892_658_089_445_524,
        43_456_485_725_739_037_958_740_375_743_393,
        -11_111_509_109_440_967_052_023_855_526_967,
        -45_023_709_667_254_063_763_336_534_515_857,
        -14_706_773_417_378_608_786_704_636_184_526,
    ] {
        p = scaled(p, x).wrapping_add(whole(coefficient));
    }
    let p = p
        .wrapping_mul(x)
        .wrapping_sub(shl(whole(795_164_235_651_350_426_258_249_787_498), 96));

    let mut q = x.wrapping_add(whole(5_573_035_233_440_673_466_300_451_813_936));
    for coefficient in [
        71_694_874_799_317_883_764_090_561_454_958,
        283_447_036_172_924_575_727_196_451_306_956,
        401_686_690_394_027_663_651_624_208_769_553,
        204_048_457_590_392_012_362_485_061_816_622,
        31_853_899_698_501_571_402_653_359_427_138,
        909_429_971_244_387_300_277_376_558_375,
    ] {
        q = scaled(x, q).wrapping_add(whole(coefficient));
    }
    let scale = I256::from_raw(uint!(1677202110996718588342820967067443963516166_U256));
    let ln2 = I256::from_raw(uint!(
        16597577552685614221487285958193947469193820559219878177908093499208371_U256
    ));
    let base = I256::from_raw(uint!(
        600920179829731861736702779321621459595472258049074101567377883020018308_U256
    ));
    let twos = whole(159 - i128::try_from(r).ok()?);
    let sum = ln2
        .wrapping_mul(twos)
        .wrapping_add(p.wrapping_div(q).wrapping_mul(scale))
        .wrapping_add(base);
    Some(sum.asr(174))
}

/// a b / 2^96, rounded down.
fn scaled(a: I256, b: I256) -> I256 {
    a.wrapping_mul(b).asr(96)
}

fn shl(x: I256, bits: usize) -> I256 {
    I256::from_raw(x.into_raw() << bits)
}

fn whole(x: i128) -> I256 {
    I256::try_from(x).unwrap_or(I256::ZERO)
}
