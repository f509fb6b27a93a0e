// SPDX-License-Identifier: Apache-2.0
#include "web/model.hpp"

#include "core/text.hpp"

#include <expat.h>
#include <simdjson.h>
#include <algorithm>
#include <memory>

namespace waybill::web {

namespace {

namespace json = simdjson::dom;

/// Eight hex digits, upper case; "" for anything else.
std::string tag_of(std::string_view text) {
  std::string tag(text);
  for (char& c : tag) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  const bool hex = std::ranges::all_of(tag, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
  return tag.size() == 8 && hex ? tag : "";
}

std::string text_of(const json::element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  return value.is_object() || value.is_null() ? "" : std::string(simdjson::minify(value));
}

bool read_item(const json::object& object, int depth, Item& item);

bool read_attribute(const json::object& object, int depth, Attribute& attribute) {
  json::array values;
  if (object.at_key("Value").get(values) != simdjson::SUCCESS) return true;
  std::string_view vr;
  const bool sequence = object.at_key("vr").get(vr) == simdjson::SUCCESS && vr == "SQ";
  for (const json::element value : values) {
    json::object inner;
    if (!sequence) {
      attribute.values.push_back(text_of(value));
    } else if (value.get(inner) != simdjson::SUCCESS || !read_item(inner, depth, attribute.items.emplace_back())) {
      return false;
    }
  }
  return true;
}

bool read_item(const json::object& object, int depth, Item& item) {
  if (depth > kMostDepth) return false;
  for (const auto& [key, value] : object) {
    const std::string tag = tag_of(key);
    json::object inner;
    if (tag.empty()) continue;  // a keyword or an extension
    if (value.get(inner) != simdjson::SUCCESS || !read_attribute(inner, depth + 1, item.elements[tag])) return false;
  }
  return true;
}

/// What has been read when expat meets the next tag.
struct XmlState {
  XML_Parser parser = nullptr;
  Item root;
  struct Level {
    Item* item = nullptr;
    Attribute* attribute = nullptr;  // of the item, the one that is open
  };
  std::vector<Level> levels;
  bool in_value = false, begun = false, failed = false;

  void fail() {
    failed = true;
    XML_StopParser(parser, XML_FALSE);
  }
};

std::string_view local_name(const char* name) {
  const std::string_view text(name);
  const std::size_t colon = text.rfind(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

void on_start(void* data, const char* name, const char** attributes) {
  auto& state = *static_cast<XmlState*>(data);
  const std::string_view element = local_name(name);
  if (!state.begun) {
    state.begun = true;
    if (element != "NativeDicomModel") return state.fail();
    state.levels.push_back({&state.root, nullptr});
    return;
  }
  if (state.levels.empty() || state.levels.size() > static_cast<std::size_t>(kMostDepth)) return state.fail();
  XmlState::Level& level = state.levels.back();
  if (element == "DicomAttribute") {
    if (level.attribute != nullptr) return state.fail();
    std::string tag;
    for (; *attributes != nullptr; attributes += 2) {
      if (local_name(attributes[0]) == "tag") tag = tag_of(attributes[1]);
    }
    if (tag.empty()) return state.fail();
    level.attribute = &level.item->elements[tag];
  } else if (element == "Item") {
    if (level.attribute == nullptr) return state.fail();
    state.levels.push_back({&level.attribute->items.emplace_back(), nullptr});
  } else if (element == "Value") {
    if (level.attribute == nullptr) return state.fail();
    level.attribute->values.emplace_back();
    state.in_value = true;
  }
}

void on_end(void* data, const char* name) {
  auto& state = *static_cast<XmlState*>(data);
  const std::string_view element = local_name(name);
  if (element == "Value") state.in_value = false;
  if (element == "DicomAttribute" && !state.levels.empty()) state.levels.back().attribute = nullptr;
  if ((element == "Item" || element == "NativeDicomModel") && !state.levels.empty()) state.levels.pop_back();
}

void on_text(void* data, const char* text, int size) {
  auto& state = *static_cast<XmlState*>(data);
  if (state.in_value && !state.levels.empty() && state.levels.back().attribute != nullptr)
    state.levels.back().attribute->values.back().append(text, static_cast<std::size_t>(size));
}

void on_doctype(void* data, const char*, const char*, const char*, int) { static_cast<XmlState*>(data)->fail(); }

}  // namespace

std::string Item::value(std::string_view tag) const {
  const auto found = elements.find(tag);
  if (found == elements.end() || found->second.values.empty()) return "";
  return std::string(trim(found->second.values.front()));
}

const std::vector<Item>& Item::items(std::string_view tag) const {
  static const std::vector<Item> none;
  const auto found = elements.find(tag);
  return found == elements.end() ? none : found->second.items;
}

Result<std::vector<Item>> parse_json(std::string_view text) {
  const Failure bad{Fault::malformed, "it is not the DICOM JSON Model"};
  json::parser parser;
  const simdjson::padded_string padded(text);
  json::element root;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return bad;
  std::vector<Item> items;
  json::object object;
  if (root.get(object) == simdjson::SUCCESS) {
    if (!read_item(object, 1, items.emplace_back())) return bad;
    return items;
  }
  json::array array;
  if (root.get(array) != simdjson::SUCCESS) return bad;
  for (const json::element element : array) {
    if (element.get(object) != simdjson::SUCCESS || !read_item(object, 1, items.emplace_back())) return bad;
  }
  return items;
}

Result<Item> parse_xml(std::string_view text) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), &XML_ParserFree);
  if (!parser) throw std::bad_alloc();
  XmlState state;
  state.parser = parser.get();
  XML_SetUserData(parser.get(), &state);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  const auto parsed = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (parsed != XML_STATUS_OK || state.failed || !state.begun)
    return Failure{Fault::malformed, "it is not the Native DICOM Model"};
  return std::move(state.root);
}

}  // namespace waybill::web
