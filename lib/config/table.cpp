// SPDX-License-Identifier: Apache-2.0
#include "config/table.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>

namespace waybill::config {

struct Table::File {
  std::string name;
  toml::table all;
};

namespace {

const toml::table& table_in(const void* table) { return *static_cast<const toml::table*>(table); }

[[noreturn]] void refuse_at(const std::string& file, const toml::node& at, const std::string& why) {
  const auto line = at.source().begin.line;
  throw RunError(Exit::usage, file + (line > 0 ? " line " + std::to_string(line) : "") + ": " + why);
}

std::string quoted(std::string_view key) { return "`" + path_to_text(key) + "`"; }

}  // namespace

Table Table::read(const std::filesystem::path& file) {
  auto out = std::make_shared<File>();
  out->name = path_to_text(file.string());
  if (const std::ifstream in(file); !in)
    throw RunError(Exit::usage, out->name + " cannot be opened; check the path and its rights");
  try {
    out->all = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    throw RunError(Exit::usage, out->name + (line > 0 ? " line " + std::to_string(line) : "") + ": " +
                                    std::string(error.description()));
  }
  const void* top = &out->all;
  return {std::move(out), top};
}

void Table::refuse(std::string_view key, const std::string& why) const {
  const toml::node* node = table_in(table_).get(key);
  refuse_at(file_->name, node == nullptr ? table_in(table_) : *node, why);
}

void Table::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : table_in(table_))
    if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
      refuse_at(file_->name, value, "unknown key " + quoted(key.str()));
}

bool Table::has(std::string_view key) const { return table_in(table_).get(key) != nullptr; }

std::vector<std::string> Table::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : table_in(table_)) out.emplace_back(key.str());
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<std::string> Table::text(std::string_view key) const {
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_string()) refuse_at(file_->name, *node, quoted(key) + " is no text");
  return node->value<std::string>();
}

bool Table::is_text(std::string_view key) const {
  const toml::node* node = table_in(table_).get(key);
  return node != nullptr && node->is_string();
}

std::optional<bool> Table::flag(std::string_view key) const {
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_boolean()) refuse_at(file_->name, *node, quoted(key) + " is neither true nor false");
  return node->value<bool>();
}

std::optional<std::int64_t> Table::number(std::string_view key, std::int64_t least, std::int64_t most) const {
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
  if (!value || *value < least || *value > most)
    refuse_at(file_->name, *node,
              quoted(key) + " is no whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

std::optional<double> Table::real(std::string_view key, double least, double most) const {
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && *value >= least && *value <= most) return value;
  refuse_at(file_->name, *node,
            quoted(key) + " is no number from " + std::to_string(least) + " to " + std::to_string(most));
}

std::vector<std::string> Table::texts(std::string_view key) const {
  std::vector<std::string> out;
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return out;
  if (!node->is_array()) refuse_at(file_->name, *node, quoted(key) + " is no list");
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_string()) refuse_at(file_->name, item, quoted(key) + " holds what is no text");
    out.push_back(*item.value<std::string>());
  }
  if (out.empty()) refuse_at(file_->name, *node, quoted(key) + " is empty, so it would fit nothing; leave it out");
  return out;
}

std::optional<Table> Table::table(std::string_view key) const {
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) refuse_at(file_->name, *node, quoted(key) + " is no table; write [" + std::string(key) + "]");
  return Table(file_, node->as_table());
}

std::vector<Table> Table::tables(std::string_view key) const {
  std::vector<Table> out;
  const toml::node* node = table_in(table_).get(key);
  if (node == nullptr) return out;
  const std::string hint = quoted(key) + " is written [[" + std::string(key) + "]]";
  if (!node->is_array()) refuse_at(file_->name, *node, hint);
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_table()) refuse_at(file_->name, item, hint);
    out.push_back(Table(file_, item.as_table()));
  }
  return out;
}

}  // namespace waybill::config
