//! A map that forgets what was not used for the longest time, bounded by count and by weight.

use std::collections::HashMap;
use std::hash::Hash;

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

/// At most `count` values whose weights sum to at most `weight`; a single heavier value is kept all the same.
#[derive(Debug)]
pub struct Lru<K, V> {
    count: usize,
    weight: usize,
    clock: u64,
    entries: HashMap<K, Entry<V>>,
}

impl<K: Clone + Eq + Hash, V> Lru<K, V> {
    pub fn new(count: usize, weight: usize) -> Self {
        Self {
            count,
            weight,
            clock: 0,
            entries: HashMap::new(),
        }
    }

    /// The value, which counts as used now.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(&mut entry.value)
    }

    pub fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// Keeps a value and forgets the oldest ones beyond the bounds.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        self.clock += 1;
        let used = self.clock;
        self.entries.insert(
            key,
            Entry {
                value,
                weight,
                used,
            },
        );
        while self.entries.len() > 1 && self.is_over() {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.entries.remove(&key);
        }
    }

    fn is_over(&self) -> bool {
        let weight: usize = self.entries.values().map(|entry| entry.weight).sum();
        self.entries.len() > self.count || weight > self.weight
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Lru;

    #[test]
    fn the_least_recently_used_value_goes_first() {
        let mut lru = Lru::new(2, 100);
        lru.insert("a", 1, 1);
        lru.insert("b", 2, 1);
        assert_eq!(lru.get(&"a"), Some(&mut 1));
        lru.insert("c", 3, 1);
        assert!(lru.contains(&"a") && lru.contains(&"c") && !lru.contains(&"b"));
    }

    #[test]
    fn heavy_values_push_out_others_but_never_themselves() {
        let mut lru = Lru::new(8, 10);
        lru.insert("a", 1, 4);
        lru.insert("b", 2, 4);
        lru.insert("heavy", 3, 50);
        assert!(lru.contains(&"heavy") && !lru.contains(&"a") && !lru.contains(&"b"));
        assert_eq!(lru.get(&"missing"), None);
    }
}
