//! People: first and last names that go together, and where such people may live.

use rand::{RngExt, rngs::Xoshiro256PlusPlus as Dice};

use super::words::any;

/// A made-up person.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) locale: &'static str,
    pub(super) timezone: &'static str,
}

#[derive(Clone, Copy)]
struct Culture {
    first: &'static [&'static str],
    last: &'static [&'static str],
    /// Language tag and time zone.
    places: &'static [(&'static str, &'static str)],
}

/// Somebody from somewhere; one in eight has a last name from elsewhere, as people move and marry.
pub(super) fn person(dice: &mut Dice) -> Person {
    let home = any(dice, CULTURES);
    let family = if dice.random_ratio(1, 8) { any(dice, CULTURES) } else { home };
    let (locale, timezone) = any(dice, home.places);
    Person { name: format!("{} {}", any(dice, home.first), any(dice, family.last)), locale, timezone }
}

/// A name as the first half of an address: `José Núñez` is `jose.nunez`.
pub(super) fn ascii(name: &str) -> String {
    let mut address = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' => address.push(letter),
            ' ' | '-' => address.push('.'),
            'á' | 'ã' | 'ä' | 'å' | 'ą' => address.push('a'),
            'ç' | 'ć' => address.push('c'),
            'é' | 'ë' | 'ė' => address.push('e'),
            'ğ' => address.push('g'),
            'í' | 'ï' | 'ı' => address.push('i'),
            'ł' => address.push('l'),
            'ñ' | 'ń' => address.push('n'),
            'ó' | 'ö' | 'ø' => address.push('o'),
            'ş' => address.push('s'),
            'ú' | 'ü' => address.push('u'),
            'ż' => address.push('z'),
            _ => {}
        }
    }
    address
}

// Formatted, every word would be a line.
#[rustfmt::skip]
const CULTURES: &[Culture] = &[
    Culture {
        first: &[
            "Alice", "Ben", "Charlotte", "Daniel", "Eleanor", "Finn", "Grace", "Harvey", "Imogen", "Jack", "Katherine", "Liam", "Martha",
            "Nathan", "Olivia", "Patrick", "Rosie", "Samuel", "Tessa", "William",
        ],
        last: &[
            "Ashworth", "Bennett", "Carver", "Dalton", "Ellison", "Fletcher", "Garrick", "Holloway", "Ingram", "Jarvis", "Kendall",
            "Lockwood", "Mercer", "Norwood", "O'Dell", "Prescott", "Radcliffe", "Sutton", "Thornton", "Whitaker",
        ],
        places: &[
            ("en-GB", "Europe/London"),
            ("en-US", "America/New_York"),
            ("en-US", "America/Los_Angeles"),
            ("en-AU", "Australia/Sydney"),
        ],
    },
    Culture {
        first: &[
            "Adaeze", "Babajide", "Chidi", "Damilola", "Ebele", "Femi", "Habiba", "Ifeanyi", "Kelechi", "Ladi", "Musa", "Ngozi", "Obinna",
            "Sade", "Temitope", "Uche", "Yetunde", "Zainab",
        ],
        last: &[
            "Abiodun", "Adeyemi", "Balogun", "Chukwu", "Danjuma", "Ekwueme", "Falana", "Ibekwe", "Igwe", "Lawal", "Mohammed", "Nwosu",
            "Ogunleye", "Okafor", "Okoro", "Onyeka", "Salami", "Uzor",
        ],
        places: &[("en-NG", "Africa/Lagos"), ("en-GB", "Europe/London"), ("en-GH", "Africa/Accra")],
    },
    Culture {
        first: &[
            "Aarav", "Bhavna", "Chandan", "Deepa", "Esha", "Farhan", "Gauri", "Harish", "Ishaan", "Jyoti", "Kavya", "Lakshmi", "Manish",
            "Nisha", "Prakash", "Ritika", "Sanjay", "Tanvi", "Varun", "Yamini",
        ],
        last: &[
            "Acharya", "Banerjee", "Chaudhary", "Desai", "Ganguly", "Iyer", "Joshi", "Kulkarni", "Menon", "Mishra", "Nair", "Pillai",
            "Rao", "Reddy", "Saxena", "Shetty", "Trivedi", "Varma",
        ],
        places: &[("en-IN", "Asia/Kolkata"), ("hi-IN", "Asia/Kolkata"), ("en-SG", "Asia/Singapore")],
    },
    Culture {
        first: &[
            "Alejandra", "Beatriz", "Camilo", "Daniela", "Esteban", "Florencia", "Gonzalo", "Héctor", "Inés", "Joaquín", "Lucía", "Mateo",
            "Natalia", "Óscar", "Paloma", "Ramón", "Sofía", "Tomás", "Verónica", "Ximena",
        ],
        last: &[
            "Aguirre", "Benítez", "Carrasco", "Domínguez", "Escobar", "Fuentes", "Gálvez", "Herrera", "Ibáñez", "Lozano", "Márquez",
            "Núñez", "Ortega", "Paredes", "Quiroga", "Rivas", "Salgado", "Valdés", "Zamora",
        ],
        places: &[("es-ES", "Europe/Madrid"), ("es-MX", "America/Mexico_City"), ("es-AR", "America/Argentina/Buenos_Aires")],
    },
    Culture {
        first: &[
            "Afonso", "Bruna", "Caetano", "Débora", "Eduardo", "Fernanda", "Gustavo", "Heloísa", "Joana", "Leonor", "Marcelo", "Otávio",
            "Rafaela", "Simão", "Thiago", "Vitória",
        ],
        last: &[
            "Almeida", "Barbosa", "Cardoso", "Duarte", "Esteves", "Figueiredo", "Gonçalves", "Leitão", "Machado", "Nogueira", "Pacheco",
            "Queiroz", "Ramalho", "Siqueira", "Teixeira", "Vasconcelos",
        ],
        places: &[("pt-BR", "America/Sao_Paulo"), ("pt-PT", "Europe/Lisbon")],
    },
    Culture {
        first: &[
            "Anneliese", "Björn", "Clara", "Dirk", "Elke", "Friedrich", "Greta", "Holger", "Ilse", "Jörg", "Käthe", "Lukas", "Mareike",
            "Niklas", "Petra", "Ruben", "Silke", "Till", "Ulrike", "Wiebke",
        ],
        last: &[
            "Albrecht", "Brandt", "Dietrich", "Ebert", "Friedmann", "Gärtner", "Hoffmann", "Jansen", "Krüger", "Lindner", "Möller",
            "Neumann", "Pfeiffer", "Reinhardt", "Schäfer", "Thiele", "Vogel", "Winkler", "van der Meer", "de Vries",
        ],
        places: &[("de-DE", "Europe/Berlin"), ("de-AT", "Europe/Vienna"), ("nl-NL", "Europe/Amsterdam")],
    },
    Culture {
        first: &[
            "Agnieszka", "Bartek", "Czesława", "Dominik", "Ewelina", "Grzegorz", "Halina", "Jacek", "Kinga", "Łukasz", "Magda", "Norbert",
            "Oliwia", "Przemek", "Renata", "Sławek", "Urszula", "Zofia",
        ],
        last: &[
            "Adamczyk", "Borkowski", "Chmiel", "Dudek", "Gajda", "Jabłoński", "Kaczmarek", "Lis", "Malinowski", "Nowicki", "Olszewski",
            "Pawlak", "Rutkowski", "Sikora", "Tomczak", "Urban", "Wrona", "Zając",
        ],
        places: &[("pl-PL", "Europe/Warsaw"), ("cs-CZ", "Europe/Prague")],
    },
    Culture {
        first: &[
            "Aoi", "Daiki", "Emi", "Fumiko", "Hana", "Haruto", "Itsuki", "Kaori", "Kenta", "Mei", "Naoki", "Reina", "Riku", "Sakura",
            "Sota", "Takumi", "Yui", "Yuto",
        ],
        last: &[
            "Aoki", "Endo", "Fujita", "Hasegawa", "Inoue", "Kato", "Kimura", "Matsuda", "Morita", "Nishimura", "Okada", "Saito",
            "Sakamoto", "Shimizu", "Takeda", "Ueda", "Watanabe", "Yamashita",
        ],
        places: &[("ja-JP", "Asia/Tokyo")],
    },
    Culture {
        first: &[
            "Bo", "Chen", "Dong", "Fang", "Guang", "Hui", "Jia", "Kai", "Lan", "Mingyu", "Ning", "Peng", "Qiang", "Ruolan", "Shu", "Tao",
            "Wenjing", "Xin", "Yating", "Zihan",
        ],
        last: &[
            "Cai", "Deng", "Fan", "Gao", "He", "Jiang", "Kong", "Liang", "Luo", "Ma", "Pan", "Qian", "Shen", "Tang", "Wu", "Xie", "Ye",
            "Zhou",
        ],
        places: &[("zh-CN", "Asia/Shanghai"), ("zh-TW", "Asia/Taipei"), ("en-SG", "Asia/Singapore")],
    },
    Culture {
        first: &[
            "Amira", "Bilal", "Dalia", "Emre", "Farida", "Ghassan", "Hülya", "Idris", "Jamila", "Karim", "Leyla", "Mehmet", "Nadia",
            "Omar", "Rania", "Selim", "Tariq", "Yasmin", "Zeynep", "Işıl",
        ],
        last: &[
            "Aksoy", "Bakir", "Çelik", "Demir", "El Amrani", "Farouk", "Güneş", "Haddad", "Ibrahim", "Jaber", "Kaya", "Mansour", "Nassar",
            "Özdemir", "Rahal", "Sabbagh", "Şahin", "Tawil", "Yıldız", "Zidan",
        ],
        places: &[("tr-TR", "Europe/Istanbul"), ("ar-EG", "Africa/Cairo"), ("ar-MA", "Africa/Casablanca"), ("fr-FR", "Europe/Paris")],
    },
    Culture {
        first: &[
            "Aino", "Birgitta", "Dagny", "Eero", "Freja", "Gunnar", "Henrik", "Ingrid", "Jørgen", "Kjersti", "Lars", "Maja", "Nils",
            "Oskar", "Pernille", "Ragnhild", "Sven", "Tuva", "Vilhelm", "Åsa",
        ],
        last: &[
            "Aalto", "Bergström", "Dahl", "Eklund", "Forsberg", "Grönlund", "Hagen", "Iversen", "Johansen", "Kjeldsen", "Lindqvist",
            "Mikkelsen", "Nyberg", "Østergaard", "Rasmussen", "Sandvik", "Thomsen", "Virtanen", "Wikström",
        ],
        places: &[("sv-SE", "Europe/Stockholm"), ("nb-NO", "Europe/Oslo"), ("da-DK", "Europe/Copenhagen"), ("fi-FI", "Europe/Helsinki")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_a_plain_form() {
        for name in CULTURES.iter().flat_map(|culture| culture.first.iter().chain(culture.last)) {
            let letters = name.chars().filter(|letter| *letter != '\'').count();
            assert_eq!(ascii(name).len(), letters, "{name}");
        }
    }

    #[test]
    fn the_profile_form_would_take_every_place() {
        for (locale, timezone) in CULTURES.iter().flat_map(|culture| culture.places) {
            assert!(domain::text::LOCALE.is_match(locale) && domain::text::TIMEZONE.is_match(timezone));
        }
    }
}
