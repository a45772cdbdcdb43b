//! PyTorch's own files: the zip format through candle, and the older one of torch.save before 1.6, in which
//! torchvision still serves some networks. Only tensors are read; nothing in the file is executed.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::pickle::{Object, PthTensors, Stack, TensorInfo, read_pth_tensor_info};
use candle_core::{Device, Tensor};

/// Every file of the older format begins with this pickled number.
pub const LEGACY_MAGIC: [u8; 15] = [
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
];
pub const ZIP_MAGIC: [u8; 4] = *b"PK\x03\x04";

/// The only version of the older format there has been.
const LEGACY_PROTOCOL: i32 = 1001;

/// Where checkpoints that hold more than weights keep the weights.
const NESTED: [&str; 2] = ["state_dict", "model"];

const RESAVE: &str = "save it again as safetensors with Python: \
    `s = torch.load(\"weights.pth\", map_location=\"cpu\")` and \
    `safetensors.torch.save_file({k: v.contiguous() for k, v in s.items()}, \"weights.safetensors\")`";

/// Names and shapes in a zip file.
pub fn zip_shapes(path: &Path) -> Result<BTreeMap<String, Vec<usize>>> {
    let (_, infos) = zip_infos(path)?;
    Ok(shapes(&infos))
}

/// All tensors of a zip file, in their own types.
pub fn load_zip(path: &Path) -> Result<HashMap<String, Tensor>> {
    let (key, infos) = zip_infos(path)?;
    for info in &infos {
        let layout = &info.layout;
        ensure!(
            layout.is_contiguous() || layout.is_fortran_contiguous(),
            "`{}` is not stored contiguously; {RESAVE}",
            info.name
        );
    }
    let file = PthTensors::new(path, key)?;
    let mut tensors = HashMap::new();
    for info in infos {
        let tensor = file
            .get(&info.name)
            .with_context(|| format!("reading `{}`", info.name))?;
        let tensor = tensor.with_context(|| format!("`{}` is missing", info.name))?;
        tensors.insert(info.name, tensor);
    }
    Ok(tensors)
}

/// The tensors of a zip file, and under which key of its dictionary they were found.
fn zip_infos(path: &Path) -> Result<(Option<&'static str>, Vec<TensorInfo>)> {
    let infos =
        read_pth_tensor_info(path, false, None).context("the file is cut short or damaged")?;
    if !infos.is_empty() {
        return Ok((None, infos));
    }
    for key in NESTED {
        // A key that does not exist is an error to candle, to us only a place where nothing was found.
        match read_pth_tensor_info(path, false, Some(key)) {
            Ok(infos) if !infos.is_empty() => return Ok((Some(key), infos)),
            _ => {}
        }
    }
    bail!("it holds no dictionary of weights; {RESAVE}")
}

/// Names and shapes in a file of the older format.
pub fn legacy_shapes(path: &Path) -> Result<BTreeMap<String, Vec<usize>>> {
    let (infos, _) = legacy_index(&mut open(path)?)?;
    Ok(shapes(&infos))
}

/// All tensors of a file of the older format, in their own types, however they are strided.
pub fn load_legacy(path: &Path) -> Result<HashMap<String, Tensor>> {
    let mut reader = open(path)?;
    let (infos, keys) = legacy_index(&mut reader)?;
    let mut by_storage: HashMap<&str, Vec<&TensorInfo>> = HashMap::new();
    for info in &infos {
        by_storage.entry(storage_key(info)).or_default().push(info);
    }
    let mut tensors = HashMap::new();
    for key in keys {
        let users = by_storage
            .get(key.as_str())
            .with_context(|| format!("it holds values of an unknown type; {RESAVE}"))?;
        let storage =
            read_storage(&mut reader, users[0]).context("the file is cut short or damaged")?;
        for info in users {
            let tensor = view(&storage, info)
                .with_context(|| format!("`{}` lies outside its data", info.name))?;
            tensors.insert(info.name.clone(), tensor);
        }
    }
    ensure!(
        tensors.len() == infos.len(),
        "the file is cut short or damaged: data of some tensors are missing"
    );
    Ok(tensors)
}

fn open(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path)?))
}

/// Reads up to where the data begin: the tensors, and the order in which their storages follow.
fn legacy_index(reader: &mut impl BufRead) -> Result<(Vec<TensorInfo>, Vec<String>)> {
    let mut magic = [0; LEGACY_MAGIC.len()];
    reader.read_exact(&mut magic)?;
    let protocol = pickled(reader)?;
    ensure!(
        protocol == Object::Int(LEGACY_PROTOCOL),
        "its format is unknown; {RESAVE}"
    );
    let _system = pickled(reader)?;
    let state = pickled(reader)?;
    let Object::List(keys) = pickled(reader)? else {
        bail!("its format is unknown; {RESAVE}");
    };
    let infos = legacy_infos(state)?;
    ensure!(
        !infos.is_empty(),
        "it holds no dictionary of weights; {RESAVE}"
    );
    let keys = keys
        .into_iter()
        .map(Object::unicode)
        .collect::<Result<_, _>>();
    Ok((
        infos,
        keys.map_err(|_| anyhow::anyhow!("its format is unknown; {RESAVE}"))?,
    ))
}

fn pickled(reader: &mut impl BufRead) -> Result<Object> {
    let mut stack = Stack::empty();
    stack
        .read_loop(reader)
        .context("the file is cut short or damaged")?;
    Ok(stack.finalize()?)
}

fn legacy_infos(state: Object) -> Result<Vec<TensorInfo>> {
    let Object::Dict(mut items) = state else {
        return Ok(Vec::new());
    };
    let nested = items.iter().position(|(key, value)| {
        let named = NESTED
            .iter()
            .any(|name| *key == Object::Unicode((*name).to_owned()));
        named && matches!(value, Object::Dict(_))
    });
    if let Some(position) = nested {
        return legacy_infos(items.swap_remove(position).1);
    }
    let mut infos = Vec::new();
    for (name, value) in items {
        infos.extend(value.into_tensor_info(name, Path::new(""))?);
    }
    Ok(infos)
}

/// Candle puts the folder of the zip file before the key; here there is none.
fn storage_key(info: &TensorInfo) -> &str {
    info.path.trim_start_matches('/')
}

fn read_storage(reader: &mut impl Read, info: &TensorInfo) -> Result<Vec<u8>> {
    let mut count = [0; 8];
    reader.read_exact(&mut count)?;
    ensure!(
        u64::from_le_bytes(count) == info.storage_size as u64,
        "a storage has another size than announced"
    );
    let bytes = info.storage_size as u64 * info.dtype.size_in_bytes() as u64;
    let mut storage = Vec::new();
    let read = reader.take(bytes).read_to_end(&mut storage)?;
    ensure!(read as u64 == bytes, "the data end early");
    Ok(storage)
}

/// The tensor that `info` describes, gathered from its storage by strides.
fn view(storage: &[u8], info: &TensorInfo) -> Option<Tensor> {
    let (dims, strides) = (info.layout.dims(), info.layout.stride());
    let width = info.dtype.size_in_bytes();
    let start = info.layout.start_offset();
    let count = dims
        .iter()
        .try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
    let gathered = if info.layout.is_contiguous() {
        storage
            .get(start..start.checked_add(count.checked_mul(width)?)?)?
            .to_vec()
    } else {
        let mut bytes = Vec::new();
        for flat in 0..count {
            let at = start.checked_add(offset(flat, dims, strides)?.checked_mul(width)?)?;
            bytes.extend(storage.get(at..at.checked_add(width)?)?);
        }
        bytes
    };
    Tensor::from_raw_buffer(&gathered, info.dtype, dims, &Device::Cpu).ok()
}

/// Where the element with this row-major number lies, in elements.
fn offset(flat: usize, dims: &[usize], strides: &[usize]) -> Option<usize> {
    let mut rest = flat;
    let mut at = 0_usize;
    for (&dim, &stride) in dims.iter().zip(strides).rev() {
        at = at.checked_add((rest % dim).checked_mul(stride)?)?;
        rest /= dim;
    }
    Some(at)
}

fn shapes(infos: &[TensorInfo]) -> BTreeMap<String, Vec<usize>> {
    let shape = |info: &TensorInfo| (info.name.clone(), info.layout.dims().to_vec());
    infos.iter().map(shape).collect()
}
