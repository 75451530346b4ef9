//! The two tables of `ARCHITECTURE.md`, and that of the dependencies.

/// What the document says.
#[derive(Debug)]
pub(crate) struct Document {
    /// The table under `## Walls`.
    pub(crate) rooms: Vec<Room>,
    /// The table under `## Single places`.
    pub(crate) single_places: Vec<SinglePlace>,
}

/// A row of the table of walls.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) floor: u32,
    pub(crate) may_name: Vec<String>,
    pub(crate) never: String,
}

/// A row of the table of single places.
#[derive(Debug)]
pub(crate) struct SinglePlace {
    /// A crate, or a path that begins with one.
    pub(crate) name: String,
    /// Files and folders (these end in `/`) under `src`.
    pub(crate) places: Vec<String>,
    pub(crate) because: String,
}

impl Document {
    /// Reads `ARCHITECTURE.md`.
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
        Self::parse(&std::fs::read_to_string(path).expect("ARCHITECTURE.md can be read"))
    }

    fn parse(text: &str) -> Self {
        let rooms = table_under(text, "## Walls").into_iter().map(|cells| Room::parse(&cells)).collect();
        let single_places = table_under(text, "## Single places")
            .into_iter()
            .flat_map(|cells| {
                let [names, places, because] = exactly(&cells);
                let row = |name| SinglePlace { name, places: list(places), because: because.clone() };
                list(names).into_iter().map(row).collect::<Vec<_>>()
            })
            .collect();
        Self { rooms, single_places }
    }

    /// The row of a room.
    pub(crate) fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| room.name == name)
    }
}

impl Room {
    fn parse(cells: &[String]) -> Self {
        let [name, floor, _holds, may_name, never] = exactly(cells);
        Self {
            name: list(name).remove(0),
            floor: floor.parse().expect("a floor is a number"),
            may_name: list(may_name),
            never: never.clone(),
        }
    }
}

impl SinglePlace {
    /// Whether a path names this.
    pub(crate) fn is(&self, path: &[String]) -> bool {
        let own: Vec<&str> = self.name.split("::").collect();
        path.len() >= own.len() && path.iter().zip(&own).all(|(a, b)| a == b)
    }

    /// Whether a file under `src` may name it.
    pub(crate) fn holds(&self, file: &str) -> bool {
        self.places.iter().any(|place| file == place || (place.ends_with('/') && file.starts_with(place.as_str())))
    }
}

/// The dependencies that `docs/dependencies.md` has a row for.
pub(crate) fn explained_dependencies() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dependencies.md");
    let text = std::fs::read_to_string(path).expect("docs/dependencies.md can be read");
    table_under(&text, "# Dependencies").into_iter().map(|cells| list(&cells[0]).remove(0)).collect()
}

/// The dependencies of `Cargo.toml` that are built into the program.
pub(crate) fn declared_dependencies() -> Vec<String> {
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.to_owned()))
        .collect()
}

/// The cells of the first table after a heading, without its two head lines.
fn table_under(text: &str, heading: &str) -> Vec<Vec<String>> {
    let rows: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| *line != heading)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "no table under `{heading}`");
    rows
}

/// The names in a cell: `-` is none.
fn list(cell: &str) -> Vec<String> {
    cell.split(',').map(|name| name.trim().trim_matches('`').to_owned()).filter(|name| name != "-").collect()
}

fn exactly<const N: usize>(cells: &[String]) -> &[String; N] {
    cells.try_into().unwrap_or_else(|_| panic!("a row has {} cells, {N} are wanted: {cells:?}", cells.len()))
}

#[test]
fn tables_are_read_out_of_the_text() {
    let text = "\
## Walls

Words.

| room | floor | holds | may name | and never, because |
|---|---|---|---|---|
| `model` | 0 | plain data | - | the ground |
| `diag` | 1 | messages | `model` | others: so |

| not | this |

## Single places

| name | only in | because |
|---|---|---|
| `anyhow`, `std::env` | `cli/`, `main.rs` | it ends there |
";
    let document = Document::parse(text);
    let rooms: Vec<(&str, u32, usize)> =
        document.rooms.iter().map(|room| (room.name.as_str(), room.floor, room.may_name.len())).collect();
    assert_eq!(rooms, [("model", 0, 0), ("diag", 1, 1)]);
    assert_eq!(document.single_places.len(), 2);
    let environment = &document.single_places[1];
    assert!(environment.is(&["std".into(), "env".into(), "var".into()]));
    assert!(!environment.is(&["std".into(), "fs".into()]));
    assert!(environment.holds("cli/args.rs") && environment.holds("main.rs") && !environment.holds("client/mod.rs"));
}
