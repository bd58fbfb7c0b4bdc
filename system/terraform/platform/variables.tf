variable "region" {
  description = "The region that this is applied to."
  type        = string
}

variable "other_region" {
  description = "The region of the other role."
  type        = string
}

variable "role" {
  description = "What the region is in the disaster recovery plan: primary or recovery."
  type        = string
}

variable "zones" {
  description = "The availability zones in use."
  type        = list(string)
}

variable "state_bucket" {
  description = "The bucket with the state of all roots."
  type        = string
}

variable "state_region" {
  description = "The region of that bucket."
  type        = string
}

variable "capacity" {
  description = "How much the region can carry: production, or the pilot light that waits for a disaster."
  type        = string
  validation {
    condition     = contains(["production", "pilot_light"], var.capacity)
    error_message = "The capacity is production or pilot_light."
  }
}

variable "capacities" {
  description = "What each capacity means. Autoscaling moves within `nodes`; a plan never resets what it chose."
  type = map(object({
    nodes          = object({ minimum = number, desired = number, maximum = number })
    database_class = string
    multi_az       = bool
    cache_nodes    = number
    cache_type     = string
  }))
  default = {
    production = {
      nodes          = { minimum = 3, desired = 3, maximum = 9 }
      database_class = "db.r6g.large"
      multi_az       = true
      cache_nodes    = 2
      cache_type     = "cache.r7g.large"
    }
    # Replicas have production's class: another one takes a restart and a quarter of an hour, which a recovery time
    # objective of an hour does not have.
    pilot_light = {
      nodes          = { minimum = 1, desired = 1, maximum = 3 }
      database_class = "db.r6g.large"
      multi_az       = false
      cache_nodes    = 1
      cache_type     = "cache.t4g.small"
    }
  }
}

variable "domain" {
  description = "The public name of the company's API."
  type        = string
}

variable "database_password" {
  description = "Of the databases' master users; replicas have their source's."
  type        = string
  sensitive   = true
  default     = null
}
