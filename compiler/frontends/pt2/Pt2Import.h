// From a `.pt2` file to the graph dialect.
#pragma once

#include "base/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace inlay {

/// Reads the exported program of an archive (PyTorch 2.6 or newer) into a module with one
/// graph.model named after the file. Every operator, custom or standard, becomes a graph.call; what
/// is supported is decided by a build's plugins. Training IR, functional and core ATen forms all
/// become functional graphs (see InlineWrappers.h, Functionalize.h); changed buffers and inputs are
/// graph.update. Guards of the exporter and assertions on sizes become checks of the model.
/// Parameters, buffers and constants become graph.constant, whose bytes stay mapped from the file
/// where they can (dense and aligned, as PyTorch 2.9 writes them); arguments that are no tensors
/// are no inputs. Errors, each naming the file: those of the archive, its JSON and its data;
/// InvalidArgument (a graph that contradicts itself); Unimplemented with one report of all that
/// cannot be imported, each with its Python source line.
Result<mlir::OwningOpRef<mlir::ModuleOp>> importPt2(mlir::MLIRContext &context,
                                                    const std::string &path);

} // namespace inlay
