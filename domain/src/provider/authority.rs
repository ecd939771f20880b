//! Local authorities of the United Kingdom as places: which one a text names, however it is written.
//!
//! Those that are responsible for children's services, as the regulators print them, with those that were until they were
//! reorganised: releases of their time name them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::kernel::text::folded;

/// The names, by nation; behind a bar, other names in use. What [`key`] makes alike is not repeated.
const NAMES: [&str; 4] = [
    // England, and those that ended since 2015.
    "Barking and Dagenham;Barnet;Barnsley;Bath and North East Somerset|BANES;Bedford;Bexley;Birmingham;Blackburn with Darwen;\
     Blackpool;Bolton;Bournemouth, Christchurch and Poole|BCP;Bracknell Forest;Bradford;Brent;Brighton and Hove;Bristol;Bromley;\
     Buckinghamshire;Bury;Calderdale;Cambridgeshire;Camden;Central Bedfordshire;Cheshire East;Cheshire West and Chester;\
     City of London;Cornwall;Coventry;Croydon;Cumberland;Darlington;Derby;Derbyshire;Devon;Doncaster;Dorset;Dudley;Durham;Ealing;\
     East Riding of Yorkshire|East Riding;East Sussex;Enfield;Essex;Gateshead;Gloucestershire;Greenwich;Hackney;Halton;\
     Hammersmith and Fulham;Hampshire;Haringey;Harrow;Hartlepool;Havering;Herefordshire;Hertfordshire;Hillingdon;Hounslow;\
     Isle of Wight;Isles of Scilly;Islington;Kensington and Chelsea;Kent;Kingston upon Hull|Hull;Kingston upon Thames;\
     Kirklees;Knowsley;Lambeth;Lancashire;Leeds;Leicester;Leicestershire;Lewisham;Lincolnshire;Liverpool;Luton;Manchester;Medway;\
     Merton;Middlesbrough;Milton Keynes;Newcastle upon Tyne;Newham;Norfolk;North East Lincolnshire;North Lincolnshire;\
     North Northamptonshire;North Somerset;North Tyneside;North Yorkshire;Northumberland;Nottingham;Nottinghamshire;Oldham;\
     Oxfordshire;Peterborough;Plymouth;Portsmouth;Reading;Redbridge;Redcar and Cleveland;Richmond upon Thames;Rochdale;\
     Rotherham;Rutland;Salford;Sandwell;Sefton;Sheffield;Shropshire;Slough;Solihull;Somerset;South Gloucestershire;\
     South Tyneside;Southampton;Southend-on-Sea|Southend;Southwark;St Helens|Saint Helens;Staffordshire;Stockport;\
     Stockton-on-Tees;Stoke-on-Trent;Suffolk;Sunderland;Surrey;Sutton;Swindon;Tameside;Telford and Wrekin;\
     Thurrock;Torbay;Tower Hamlets;Trafford;Wakefield;Walsall;Waltham Forest;Wandsworth;Warrington;Warwickshire;West Berkshire;\
     West Northamptonshire;West Sussex;Westminster;Westmorland and Furness;Wigan;Wiltshire;Windsor and Maidenhead;Wirral;\
     Wokingham;Wolverhampton;Worcestershire;York;\
     Bournemouth;Cumbria;Northamptonshire;Poole",
    // Wales.
    "Blaenau Gwent;Bridgend|Pen-y-bont ar Ogwr;Caerphilly|Caerffili;Cardiff|Caerdydd;Carmarthenshire|Sir Gaerfyrddin;Ceredigion;\
     Conwy;Denbighshire|Sir Ddinbych;Flintshire|Sir y Fflint;Gwynedd;Isle of Anglesey|Anglesey|Ynys Môn|Sir Ynys Môn;\
     Merthyr Tydfil|Merthyr Tudful;Monmouthshire|Sir Fynwy;Neath Port Talbot|Castell-nedd Port Talbot;Newport|Casnewydd;\
     Pembrokeshire|Sir Benfro;Powys;Rhondda Cynon Taf|Rhondda Cynon Taff|RCT;Swansea|Abertawe;Torfaen|Tor-faen;\
     Vale of Glamorgan|Bro Morgannwg;Wrexham|Wrecsam",
    // Scotland.
    "Aberdeen;Aberdeenshire;Angus;Argyll and Bute;Clackmannanshire;Dumfries and Galloway;Dundee;East Ayrshire;\
     East Dunbartonshire;East Lothian;East Renfrewshire;Edinburgh;Falkirk;Fife;Glasgow;Highland;Inverclyde;Midlothian;Moray;\
     Na h-Eileanan Siar|Eilean Siar|Comhairle nan Eilean Siar|Western Isles;North Ayrshire;North Lanarkshire;Orkney Islands|Orkney;\
     Perth and Kinross;Renfrewshire;Scottish Borders;Shetland Islands|Shetland;South Ayrshire;South Lanarkshire;Stirling;\
     West Dunbartonshire;West Lothian",
    // Northern Ireland: districts, and the trusts that run children's services.
    "Antrim and Newtownabbey;Ards and North Down;Armagh, Banbridge and Craigavon;Belfast;Causeway Coast and Glens;\
     Derry and Strabane;Fermanagh and Omagh;Lisburn and Castlereagh;Mid and East Antrim;Mid Ulster;Newry, Mourne and Down;\
     Belfast Health and Social Care Trust;Northern Health and Social Care Trust;South Eastern Health and Social Care Trust;\
     Southern Health and Social Care Trust;Western Health and Social Care Trust",
];

/// What an authority's spellings have in common: its name without what bodies put before or behind it (`City of`, `Borough
/// Council`).
fn key(text: &str) -> String {
    const STYLE: [&str; 13] = [
        "the",
        "council",
        "city",
        "county",
        "borough",
        "metropolitan",
        "royal",
        "district",
        "unitary",
        "authority",
        "corporation",
        "cyngor",
        "mbc",
    ];
    let folded = folded(text);
    let named = folded.split_once("london borough of ").map_or(folded.as_str(), |(_, name)| name);
    // London has thirty-three authorities, one of which is the City of London.
    if folded == "london" || folded == "greater london" {
        return String::new();
    }
    let mut words: Vec<&str> = named.split(' ').filter(|word| !STYLE.contains(word)).collect();
    while words.first() == Some(&"of") {
        words.remove(0);
    }
    while matches!(words.last(), Some(&("of" | "and"))) {
        words.pop();
    }
    words.join(" ")
}

/// The name under which an authority is listed here, by the key of each of its names.
static KNOWN: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for names in NAMES.iter().flat_map(|nation| nation.split(';')) {
        let mut names = names.split('|');
        let Some(first) = names.next() else { continue };
        known.insert(key(first), first);
        known.extend(names.map(|other| (key(other), first)));
    }
    known
});

/// The authority that a text names; `None` where it names none that is known.
#[must_use]
pub fn named(text: &str) -> Option<&'static str> {
    KNOWN.get(&key(text)).copied()
}

/// Known authorities whose names begin as a text that names none: what may have been meant, the likeliest first.
#[must_use]
pub fn like(text: &str) -> Vec<&'static str> {
    let sought = key(text);
    let shared = |name: &str| key(name).bytes().zip(sought.bytes()).take_while(|(one, other)| one == other).count();
    let mut found: Vec<(usize, &str)> = KNOWN.values().map(|name| (shared(name), *name)).collect();
    found.retain(|(shared, _)| *shared >= 4);
    found.sort_unstable_by_key(|(shared, name)| (std::cmp::Reverse(*shared), *name));
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_known_as_each_body_spells_it() {
        for (text, name) in [
            ("Southend on Sea", "Southend-on-Sea"),
            ("SOUTHEND-ON-SEA CITY COUNCIL", "Southend-on-Sea"),
            ("Bournemouth, Christchurch & Poole", "Bournemouth, Christchurch and Poole"),
            ("Bristol, City of", "Bristol"),
            ("City of Bristol", "Bristol"),
            ("Kingston upon Hull, City of", "Kingston upon Hull"),
            ("Herefordshire, County of", "Herefordshire"),
            ("County Durham", "Durham"),
            ("Derby City", "Derby"),
            ("Derby City Council", "Derby"),
            ("Derbyshire County Council", "Derbyshire"),
            ("London Borough of Barking & Dagenham", "Barking and Dagenham"),
            ("Royal Borough of Greenwich", "Greenwich"),
            ("City of London", "City of London"),
            ("St. Helens", "St Helens"),
            ("Ynys Mon", "Isle of Anglesey"),
            ("Rhondda Cynon Taff", "Rhondda Cynon Taf"),
            ("The Vale of Glamorgan", "Vale of Glamorgan"),
            ("The Scottish Borders", "Scottish Borders"),
            ("City of Edinburgh", "Edinburgh"),
            ("Cumbria", "Cumbria"),
        ] {
            assert_eq!(named(text), Some(name), "{text}");
        }
        for text in ["", "Atlantis", "Southend-on-See", "Bournemouth Christchurch", "London", "Derbysh", "Wessex"] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn no_two_authorities_have_one_name() {
        let all = NAMES.iter().flat_map(|nation| nation.split([';', '|'])).count();
        assert_eq!(KNOWN.len(), all);
        assert_eq!(like("Southend-on-See").first(), Some(&"Southend-on-Sea"));
        assert!(like("Atlantis").is_empty());
    }
}
